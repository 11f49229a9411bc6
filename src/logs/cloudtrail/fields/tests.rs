use super::*;

#[test]
fn every_field_is_found_by_its_key_and_in_any_case() {
    for node in nodes() {
        for field in &node.fields {
            assert_eq!(node.field(field.key.as_bytes()).map(|f| f.bit), Some(field.bit));
            let upper = field.key.to_uppercase();
            assert_eq!(node.field_in_any_case(upper.as_bytes()).map(|f| f.bit), Some(field.bit));
            assert!(node.field(upper.as_bytes()).is_none());
            assert!(node.field(&field.key.as_bytes()[1..]).is_none());
            let text = format!("{{\"{}\":{}", field.key, " ".repeat(32));
            assert!(field.quoted.is_at(text.as_bytes(), 1) && field.quoted.len <= 32);
            assert_eq!(field.quoted.len, field.key.len() + 3);
            assert!(!field.quoted.is_at(text.as_bytes(), 0));
            assert!(!field.quoted.is_at(text.replace("\":", "s\":").as_bytes(), 1));
            assert!(!field.quoted.is_at(text.replace("\":", "\" :").as_bytes(), 1));
            assert!(!field.quoted.is_at(text.trim_end().as_bytes(), 1));
        }
        assert!(node.field(b"").is_none() && node.field_in_any_case(b"").is_none());
    }
}

#[test]
fn every_leaf_is_filled_by_one_field_and_has_a_column() {
    let mut filled = 0;
    for field in nodes().iter().flat_map(|node| &node.fields) {
        if !matches!(field.kind, Kind::Object(_)) {
            assert_eq!(filled & field.leaves, 0, "{}", field.path);
            filled |= field.leaves;
        }
    }
    assert_eq!(filled.count_ones() as usize, Leaf::ALL.len());
    let schema = super::super::schema::events();
    for leaf in Leaf::ALL {
        let mut path = leaf.path().split('.');
        let mut field = schema.field_with_name(path.next().unwrap()).unwrap();
        for name in path {
            let arrow::datatypes::DataType::Struct(members) = field.data_type() else {
                panic!("{name} has no parent");
            };
            field = members.iter().find(|member| member.name() == name).unwrap();
        }
    }
}

#[test]
fn fields_know_what_lies_below_them() {
    let record = &nodes()[0];
    let user = record.field(b"userIdentity").unwrap();
    let Kind::Object(child) = user.kind else { panic!("userIdentity is an object") };
    let direct = nodes()[child].fields.iter().fold(0, |set, f| set | f.bit | f.below);
    assert_eq!(user.below, direct);
    assert_ne!(user.leaves & Leaf::ScopeArn.bit(), 0);
    let issuer = nodes().iter().flat_map(|n| &n.fields).find(|f| f.key == "sessionIssuer");
    assert_eq!(issuer.unwrap().path, "userIdentity.sessionContext.sessionIssuer");
}
