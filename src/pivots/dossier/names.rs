//! What JSON parameters name: the users, roles, buckets and instances that a request is about, and
//! whether a value stands among them.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt,
};

use arrow::array::{RecordBatch, StringViewArray};
use foldhash::fast::RandomState;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{
    columns::{self, Arns, value},
    subject::Needle,
    tally::{Plan, Stat},
};
use crate::Result;

/// The members of requests whose values name what is acted on, in lower case. S3's `key` is none:
/// objects are in `resources`, and there are as many as there are events.
const NAMING: &[&str] = &[
    "accesskeyid",
    "alias",
    "aliasname",
    "bucketname",
    "certificatearn",
    "clusteridentifier",
    "clustername",
    "dbclusteridentifier",
    "dbinstanceidentifier",
    "dbsnapshotidentifier",
    "destinationbucket",
    "distributionid",
    "documentname",
    "domainname",
    "filesystemid",
    "functionname",
    "groupid",
    "groupname",
    "hostedzoneid",
    "identitypoolid",
    "imageid",
    "instanceid",
    "instanceprofilearn",
    "instanceprofilename",
    "internetgatewayid",
    "keyid",
    "keyname",
    "layername",
    "loggroupname",
    "modelid",
    "networkaclid",
    "networkinterfaceid",
    "organizationalunitid",
    "organizationid",
    "parametername",
    "permissionsetarn",
    "policyarn",
    "policyid",
    "policyname",
    "projectname",
    "queuename",
    "queueurl",
    "repositoryname",
    "resourcearn",
    "resourceid",
    "rolearn",
    "rolename",
    "routetableid",
    "rulename",
    "samlproviderarn",
    "secretid",
    "serialnumber",
    "snapshotid",
    "snapshotname",
    "stackname",
    "statemachinearn",
    "subnetid",
    "tablename",
    "topicarn",
    "trailname",
    "username",
    "volumeid",
    "vpcendpointid",
    "vpcid",
];

/// Reads the parameters of a batch's rows.
pub(super) struct Reader<'p> {
    requests: StringViewArray,
    responses: Option<StringViewArray>,
    sources: StringViewArray,
    accounts: StringViewArray,
    arns: Arns,
    needle: Option<&'p Needle>,
}

impl<'p> Reader<'p> {
    pub(super) fn of(batch: &RecordBatch, plan: &'p Plan) -> Result<Self> {
        let needle = plan.needle.as_ref();
        let texts = |name| columns::texts(batch, name);
        Ok(Self {
            requests: texts("requestparameters")?,
            responses: needle.map(|_| texts("responseelements")).transpose()?,
            sources: texts("eventsource")?,
            accounts: texts("recipientaccountid")?,
            arns: Arns::of(batch, "resources")?,
            needle,
        })
    }

    /// Whether row `row` is one of the subject's: where that is a resource, SQL chose too many.
    pub(super) fn is_meant(&self, row: usize) -> bool {
        let Some(needle) = self.needle else { return true };
        if self.arns.places(row).any(|place| needle.is_arn(self.arns.values.value(place))) {
            return true;
        }
        let local = needle.local.as_ref().filter(|local| {
            value(&self.sources, row) == Some(&local.source)
                && local.account.as_deref().is_none_or(|account| {
                    value(&self.accounts, row).is_none_or(|recipient| recipient == account)
                })
        });
        let local = local.map(|local| local.name.as_str());
        let texts = [Some(&self.requests), self.responses.as_ref()];
        texts
            .into_iter()
            .flatten()
            .filter_map(|array| value(array, row))
            .any(|json| holds(json, &needle.text) || local.is_some_and(|name| holds(json, name)))
    }

    /// Counts the rows by what their requests name: `userName=bob`. A name that ends an ARN of
    /// the same row's resources says nothing more.
    pub(super) fn named<E>(
        &self,
        events: &[Option<E>],
        add: impl Fn(&E, &mut Stat),
    ) -> Vec<(Cow<'static, str>, Stat)> {
        let mut naming = Naming::default();
        // By name: the row that was counted last, and the counts.
        let mut stats = HashMap::<String, (usize, Stat), RandomState>::default();
        let mut written = String::new();
        for (row, event) in events.iter().enumerate() {
            let (Some(event), Some(json)) = (event, value(&self.requests, row)) else { continue };
            walk(json, &mut |member, name| {
                if name.is_empty() || !naming.has(member) || self.ends_arn(row, name) {
                    return;
                }
                written.clear();
                written.extend([member, "=", name]);
                match stats.get_mut(written.as_str()) {
                    Some((last, stat)) if *last != row => {
                        *last = row;
                        add(event, stat);
                    }
                    Some(_) => {}
                    None => {
                        let mut stat = Stat::NONE;
                        add(event, &mut stat);
                        stats.insert(written.clone(), (row, stat));
                    }
                }
            });
        }
        stats.into_iter().map(|(name, (_, stat))| (Cow::Owned(name), stat)).collect()
    }

    /// Whether `name` ends an ARN of row `row`'s resources.
    fn ends_arn(&self, row: usize, name: &str) -> bool {
        self.arns.places(row).any(|place| {
            let head = self.arns.values.value(place).strip_suffix(name);
            head.is_some_and(|head| head.is_empty() || head.ends_with([':', '/']))
        })
    }
}

/// Which members name something, as far as that was asked: there are few different ones.
#[derive(Default)]
struct Naming(HashMap<Box<str>, bool, RandomState>);

/// Members that are kept at most: whoever writes requests may make them up.
const MAX_MEMBERS: usize = 4_096;

impl Naming {
    fn has(&mut self, member: &str) -> bool {
        if let Some(known) = self.0.get(member) {
            return *known;
        }
        let is_naming = is_naming(member);
        if self.0.len() < MAX_MEMBERS {
            self.0.insert(member.into(), is_naming);
        }
        is_naming
    }
}

fn is_naming(member: &str) -> bool {
    let by_lower_case =
        |naming: &&str| naming.bytes().cmp(member.bytes().map(|byte| byte.to_ascii_lowercase()));
    NAMING.binary_search_by(by_lower_case).is_ok()
}

impl Needle {
    /// Whether `arn` is the resource, or ends in its name.
    fn is_arn(&self, arn: &str) -> bool {
        arn == self.text
            || arn
                .strip_suffix(self.text.as_str())
                .is_some_and(|head| head.ends_with(':') || head.ends_with('/'))
    }
}

/// Whether `text` stands in `json` as a whole value. Keys are no values.
pub(super) fn holds(json: &str, text: &str) -> bool {
    let mut found = false;
    walk(json, &mut |_, value| found |= value == text);
    found
}

/// The members of `json` that name something, and their values, each once.
pub(super) fn names(json: &str) -> Vec<(String, String)> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    walk(json, &mut |member, value| {
        if value.is_empty() {
            return;
        }
        if is_naming(member) {
            let name = (member.to_owned(), value.to_owned());
            if seen.insert(name.clone()) {
                names.push(name);
            }
        }
    });
    names
}

/// Hands every text in `json` to `each`, with the name of the member it is in or in a list of. What
/// is no JSON ends the walk where that shows.
fn walk(json: &str, each: &mut dyn FnMut(&str, &str)) {
    let mut parser = serde_json::Deserializer::from_str(json);
    // A fault leaves what was read before it.
    drop(Walk { member: "", each }.deserialize(&mut parser));
}

struct Walk<'m, 'e> {
    member: &'m str,
    each: &'e mut dyn FnMut(&str, &str),
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        (self.each)(self.member, text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items
            .next_element_seed(Walk { member: self.member, each: &mut *self.each })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Member(member)) = members.next_key()? {
            members.next_value_seed(Walk { member: &member, each: &mut *self.each })?;
        }
        Ok(())
    }
}

/// The name of a member, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Member<'j>(#[serde(borrow)] Cow<'j, str>);
