//! The commands: in a shell, and at the prompt on a pseudo-terminal.

use serde_json::Value;

use crate::cli::Scene;

fn run(scene: &Scene, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = scene.command().args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

const ID: &str = "00000000-0000-4000-8000-000000000001";

#[test]
fn each_pivot_is_a_command() {
    let scene = Scene::ingested();
    for (command, value, events) in [
        ("who", "eve", 3),
        ("ip", "192.0.2.7", 3),
        ("api", "GetObject", 2),
        ("api", "s3.amazonaws.com GetObject", 2),
        ("key", "AKIAIOSFODNN7EXAMPLE", 3),
        ("resource", "nothing-of-that-name", 0),
    ] {
        let mut arguments = vec![command, "--json"];
        arguments.extend(value.split(' '));
        let (code, json, _) = run(&scene, &arguments);
        assert_eq!(code, Some(0), "{command}");
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["kind"], &json["value"]), (&command.into(), &value.into()));
        assert_eq!(json["events"], events, "{command}");
        let (code, text, _) = run(&scene, &[command, value]);
        assert_eq!(code, Some(0));
        assert!(text.starts_with(&format!("{command}  {value}")), "{text}");
    }
    let (code, json, _) = run(&scene, &["event", ID, "--json"]);
    assert_eq!(code, Some(0));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["events"][0]["record"]["eventID"], ID);
}

#[test]
fn nothing_found_is_no_failure_and_faults_are() {
    let scene = Scene::ingested();
    let (code, text, said) = run(&scene, &["ip", "198.51.100.1", "--since", "2030-01-01"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("No event in the cache has 198.51.100.1"), "{text}");
    assert!(said.contains("note: the cache holds no events after 2024-01-02"), "{said}");
    for (arguments, fault) in [
        (&["ip", "1.2.3.4/40"][..], "expected a network"),
        (&["who", ""], "expected a value"),
        (&["who", "x", "--since", "soon"], "expected a time"),
        (&["who"], "required arguments"),
    ] {
        let (code, text, said) = run(&scene, arguments);
        assert_eq!((code, text.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(said.contains(fault), "{said}");
    }
    let nowhere = scene.path().join("nowhere");
    let (code, _, said) = run(&scene, &["--cache", nowhere.to_str().unwrap(), "who", "eve"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("there is no cache"), "{said}");
}

#[cfg(unix)]
#[test]
fn each_pivot_is_a_command_of_the_prompt() {
    use crate::repl::terminal::Terminal;

    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    terminal.enter(".pager off");
    for (line, answer) in [
        (".who eve", "3 events"),
        (".ip 192.0.2.7 --since 2024-01-02T03:05:00Z", "2 events"),
        (".api s3.amazonaws.com GetObject", "2 events"),
        (".key AKIAIOSFODNN7EXAMPLE --json", "\"events\":3,"),
        (".resource nobody", "No event in the cache has nobody"),
        (".who eve --sinse 7d", "did you mean `--since`?"),
    ] {
        let shown = terminal.enter(line);
        assert!(shown.contains(answer), "{line}: {shown}");
    }
    let shown = terminal.enter(&format!(".event {ID}"));
    assert!(
        shown.contains("s3:GetObject") && shown.contains(".key AKIAIOSFODNN7EXAMPLE"),
        "{shown}"
    );
    terminal.leave();
}
