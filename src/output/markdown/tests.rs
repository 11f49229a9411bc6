use super::push_cell;

fn shown(text: &str) -> String {
    let mut out = String::new();
    push_cell(text, &mut out);
    out
}

#[test]
fn markup_is_text() {
    assert_eq!(shown("a|b`c`"), "a\\|b\\`c\\`");
    assert_eq!(shown("<img src=x onerror=alert(1)>"), "&lt;img src=x onerror=alert(1)&gt;");
    assert_eq!(shown("![x](http://198.51.100.7/p.png)"), "\\!\\[x\\](http\\://198.51.100.7/p.png)");
    assert_eq!(shown("www.example.com eve@example.com"), "www\\.example.com eve\\@example.com");
    assert_eq!(
        shown("**b** _i_ ~~s~~ $x$ a&amp;b \\"),
        "\\*\\*b\\*\\* \\_i\\_ \\~\\~s\\~\\~ \\$x\\$ a&amp;amp;b \\\\"
    );
}

#[test]
fn names_stay_readable() {
    assert_eq!(shown("iam_user_created"), "iam_user_created");
    assert_eq!(shown("arn:aws:iam::111122223333:user/eve"), "arn:aws:iam::111122223333:user/eve");
}

#[test]
fn a_cell_is_one_line() {
    assert_eq!(shown("a\nb\u{2028}c"), "a\\\\nb\\\\u{2028}c");
}
