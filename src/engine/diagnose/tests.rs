use super::{
    nearest::nearest,
    words::{tidy, translate},
};

#[test]
fn a_slip_is_near() {
    let names = ["eventname", "eventsource", "useridentity", "resources"];
    assert_eq!(nearest("evntname", names), Some("eventname"));
    assert_eq!(nearest("useridenty", names), Some("useridentity"));
    assert_eq!(nearest("resuorces", names), Some("resources"));
    assert_eq!(nearest("EVENTNMAE", names), Some("eventname"));
}

#[test]
fn another_word_is_not_near() {
    let names = ["eventname", "arn", "or"];
    assert_eq!(nearest("color", names), None);
    assert_eq!(nearest("x", names), None);
    assert_eq!(nearest("", names), None);
}

#[test]
fn the_front_of_a_name_is_near() {
    assert_eq!(nearest("cloudtrail", ["cloudtrail_logs"]), Some("cloudtrail_logs"));
}

#[test]
fn types_are_those_of_athena() {
    assert_eq!(translate("Utf8View + Int64"), "varchar + bigint");
    assert_eq!(translate("Timestamp(ns, \"UTC\") = List(Field { x: (1) })"), "timestamp = array");
    assert_eq!(translate("make_List(1)"), "make_List(1)");
    assert_eq!(translate("table awsdatacatalog.default.x"), "table x");
}

#[test]
fn messages_are_one_tidy_line() {
    assert_eq!(tidy("Error during planning: Cannot do it.\nmore"), "cannot do it");
    assert_eq!(tidy("GROUP BY needs more."), "GROUP BY needs more");
    assert_eq!(tidy("Arrow error: Cast error: Bad Utf8"), "bad varchar");
}
