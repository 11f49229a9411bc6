use super::*;

#[test]
fn gives_athenas_columns_in_the_order_of_its_ddl() {
    let names: Vec<_> = athena_columns().map(|column| column.name).collect();
    assert_eq!(
        names.join(","),
        "eventversion,useridentity,eventtime,eventsource,eventname,awsregion,sourceipaddress,\
         useragent,errorcode,errormessage,requestparameters,responseelements,additionaleventdata,\
         requestid,eventid,resources,eventtype,apiversion,readonly,recipientaccountid,\
         serviceeventdetails,sharedeventid,vpcendpointid,vpcendpointaccountid,eventcategory,\
         addendum,sessioncredentialfromconsole,edgedevicedetails,tlsdetails"
    );
    assert_eq!(
        columns()[1].ty.sql(),
        "row(type varchar, principalid varchar, arn varchar, accountid varchar, invokedby varchar, \
         accesskeyid varchar, username varchar, onbehalfof row(userid varchar, identitystorearn \
         varchar), sessioncontext row(attributes row(mfaauthenticated varchar, creationdate \
         varchar), sessionissuer row(type varchar, principalid varchar, arn varchar, accountid \
         varchar, username varchar), ec2roledelivery varchar, webidfederationdata \
         row(federatedprovider varchar, attributes map(varchar, varchar))))"
    );
}

#[test]
fn names_each_column_once_in_lower_case_and_documents_it() {
    for table in [columns(), aggregated_columns()] {
        for (i, column) in table.iter().enumerate() {
            assert!(
                column
                    .name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
            );
            assert!(
                table.iter().skip(i + 1).all(|other| other.name != column.name),
                "{}",
                column.name
            );
            assert!(column.doc.len() > 20 && column.doc.ends_with('.'), "{}", column.name);
        }
    }
}

#[test]
fn groups_follow_one_another() {
    let mut groups: Vec<_> = columns().iter().map(|column| column.group).collect();
    groups.dedup();
    let order = [
        Group::Athena,
        Group::Companion,
        Group::Field,
        Group::Envelope,
        Group::Partition,
        Group::Provenance,
    ];
    assert_eq!(groups, order);
}

#[test]
fn content_is_the_record_without_what_was_derived_or_wrapped_it() {
    let content: Vec<_> = content_columns().map(|column| column.name).collect();
    assert!(content.contains(&"eventid") && content.contains(&"inscopeof"));
    assert!(content.contains(&"extra") && content.contains(&"empty_fields"));
    for other in ["event_ts", "shape", "envelope", "account", "source_file", "appended"] {
        assert!(!content.contains(&other), "{other}");
    }
    assert_eq!(events().fields().len(), columns().len());
    assert_eq!(aggregated().fields().len(), aggregated_columns().len());
}
