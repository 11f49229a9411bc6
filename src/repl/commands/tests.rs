use super::*;
use crate::output::render_error;

fn fault_of(line: &str) -> String {
    match parse(line) {
        Ok((command, _)) => panic!("{line} is {}", command.name),
        Err(error) => render_error(&error, false),
    }
}

#[test]
fn names_and_aliases_are_unique() {
    let mut names: Vec<&str> =
        COMMANDS.iter().flat_map(|c| [c.name, c.alias]).filter(|n| !n.is_empty()).collect();
    let n_names = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), n_names);
}

#[test]
fn arguments_split_at_spaces_outside_quotes() {
    let (command, arguments) = parse(" .ingest 'a b' c\"d e\" '' ; ").unwrap();
    assert_eq!(command.name, ".ingest");
    assert_eq!(arguments, ["a b", "cd e", ""]);
    assert_eq!(parse("\\q;").unwrap().0.name, ".quit");
}

#[test]
fn what_is_no_command_is_drawn_with_the_one_that_was_meant() {
    insta::assert_snapshot!(fault_of(".tabels"), @r"
    error: there is no command `.tabels`
      |
    1 | .tabels
      | ^^^^^^^
      |
      = help: did you mean `.tables`?
    ");
    insta::assert_snapshot!(fault_of(".once"), @r"
    error: `.once` takes one argument
      |
    1 | .once
      | ^^^^^
      |
      = help: .once FILE
    ");
    insta::assert_snapshot!(fault_of(".quit now"), @r"
    error: `.quit` takes no arguments
      |
    1 | .quit now
      | ^^^^^
      |
      = help: .quit
    ");
}

#[test]
fn help_names_every_command_and_function() {
    let json = help::help(Some(&"JSON_EXTRACT_SCALAR".to_owned())).unwrap();
    assert!(json.starts_with("json_extract_scalar("), "{json}");
    let all = help::help(None).unwrap();
    assert!(COMMANDS.iter().all(|command| all.contains(command.summary)));
    assert!(help::help(Some(&"schema".to_owned())).unwrap().starts_with(".schema [TABLE]"));
    assert!(help::help(Some(&"\\d".to_owned())).unwrap().starts_with(".schema [TABLE]"));
    assert!(help::help(Some(&"nonsense".to_owned())).is_err());
}
