use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::*;

#[test]
fn escapes_and_bidi_controls_are_shown() {
    assert_eq!(visible("a\x1b[2Jb"), "a\\x1b[2Jb");
    assert_eq!(visible("exe.\u{202e}gpj"), "exe.\\u{202e}gpj");
    assert_eq!(visible("one\ntwo\tthree\r"), "one\\ntwo\\tthree\\r");
    assert_eq!(visible("\u{9b}31m"), "\\x9b31m");
    assert_eq!(
        visible("\u{200b}\u{2060}\u{feff}\u{2028}\u{e0041}"),
        concat!("\\u{200b}", "\\u{2060}", "\\u{feff}", "\\u{2028}", "\\u{e0041}")
    );
}

#[test]
fn ordinary_text_is_borrowed_or_equal() {
    assert!(matches!(visible("arn:aws:iam::111122223333:user/eve"), Cow::Borrowed(_)));
    assert_eq!(visible("Zoë 東京 👩 café"), "Zoë 東京 👩 café");
}

#[test]
fn a_pile_of_combining_marks_is_cut_down() {
    let pile = format!("a{}", "\u{301}".repeat(100));
    let shown = visible(&pile);
    assert_eq!(shown.matches('\u{301}').count(), MAX_ZERO_WIDTH_RUN);
    assert_eq!(shown.matches("\\u{301}").count(), 92);
}

#[test]
fn line_feeds_stay_in_text_of_several_lines() {
    assert_eq!(visible_lines("a\n\x07b\n"), "a\n\\x07b\n");
}

proptest! {
    #[test]
    fn nothing_hidden_is_left(text in any::<String>()) {
        prop_assert!(!visible(&text).chars().any(is_hidden));
        prop_assert!(!visible_lines(&text).chars().any(|c| c != '\n' && is_hidden(c)));
    }

    #[test]
    fn what_is_shown_has_the_width_of_its_characters(text in "[a-z\u{202e}\u{1b}é東]{0,20}") {
        let shown = visible(&text);
        prop_assert!(shown.width() >= text.chars().filter(|c| !is_hidden(*c)).count());
    }
}
