//! `docs/REPL.md` names every command.

use std::fs;

use crate::support::from_root;

const BEGIN: &str = "<!-- what follows is written by a test: BLESS=1 -->\n\n";
const END: &str = "<!-- what is above is written by a test -->\n";

#[test]
fn the_page_on_the_prompt_is_what_the_table_of_commands_says() {
    let path = from_root("docs/REPL.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let wanted = format!("{head}{BEGIN}{}{END}{tail}", trailhound::repl::reference());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(page == wanted, "docs/REPL.md is not what the table of commands gives: BLESS=1");
}
