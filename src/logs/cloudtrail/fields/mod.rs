//! The fields of a CloudTrail record as JSON: which key means which column, and what type it
//! should have. The decoder reads records by it, and [`super::rebuild`] writes them by it.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

macro_rules! leaves {
    ($($(#[$doc:meta])* $name:ident = $path:literal,)*) => {
        /// A column, or a member of one, that holds a text of the record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub(crate) enum Leaf { $($name),* }

        impl Leaf {
            /// All of them, in order.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The column, and from there the members down, joined by dots.
            pub(crate) fn path(self) -> &'static str {
                match self { $(Self::$name => $path),* }
            }
        }
    };
}

leaves! {
    EventVersion = "eventversion",
    UserType = "useridentity.type",
    PrincipalId = "useridentity.principalid",
    UserArn = "useridentity.arn",
    UserAccount = "useridentity.accountid",
    InvokedBy = "useridentity.invokedby",
    AccessKey = "useridentity.accesskeyid",
    UserName = "useridentity.username",
    BehalfUser = "useridentity.onbehalfof.userid",
    BehalfStore = "useridentity.onbehalfof.identitystorearn",
    Mfa = "useridentity.sessioncontext.attributes.mfaauthenticated",
    CreationDate = "useridentity.sessioncontext.attributes.creationdate",
    IssuerType = "useridentity.sessioncontext.sessionissuer.type",
    IssuerPrincipal = "useridentity.sessioncontext.sessionissuer.principalid",
    IssuerArn = "useridentity.sessioncontext.sessionissuer.arn",
    IssuerAccount = "useridentity.sessioncontext.sessionissuer.accountid",
    IssuerName = "useridentity.sessioncontext.sessionissuer.username",
    Ec2RoleDelivery = "useridentity.sessioncontext.ec2roledelivery",
    FederatedProvider = "useridentity.sessioncontext.webidfederationdata.federatedprovider",
    EventTime = "eventtime",
    EventSource = "eventsource",
    EventName = "eventname",
    AwsRegion = "awsregion",
    SourceIp = "sourceipaddress",
    UserAgent = "useragent",
    ErrorCode = "errorcode",
    ErrorMessage = "errormessage",
    RequestParameters = "requestparameters",
    ResponseElements = "responseelements",
    AdditionalEventData = "additionaleventdata",
    RequestId = "requestid",
    EventId = "eventid",
    EventType = "eventtype",
    ApiVersion = "apiversion",
    ReadOnly = "readonly",
    RecipientAccount = "recipientaccountid",
    ServiceEventDetails = "serviceeventdetails",
    SharedEventId = "sharedeventid",
    VpcEndpointId = "vpcendpointid",
    VpcEndpointAccount = "vpcendpointaccountid",
    EventCategory = "eventcategory",
    AddendumReason = "addendum.reason",
    AddendumFields = "addendum.updatedfields",
    AddendumRequestId = "addendum.originalrequestid",
    AddendumEventId = "addendum.originaleventid",
    FromConsole = "sessioncredentialfromconsole",
    EdgeDeviceDetails = "edgedevicedetails",
    TlsVersion = "tlsdetails.tlsversion",
    TlsCipher = "tlsdetails.ciphersuite",
    TlsHost = "tlsdetails.clientprovidedhostheader",
    /// The one leaf whose column is no text but a boolean.
    ManagementEvent = "managementevent",
    IdentityProvider = "identityprovider",
    CredentialId = "credentialid",
    SourceIdentity = "sourceidentity",
    Ec2IssuedInVpc = "ec2issuedinvpc",
    AssumedRoot = "assumedroot",
    SignInSession = "signinsessionarn",
    DelegateAccount = "invokedbydelegate.accountid",
    ScopeArn = "inscopeof.sourcearn",
    ScopeAccount = "inscopeof.sourceaccount",
    ScopeType = "inscopeof.issuertype",
    ScopeTo = "inscopeof.credentialsissuedto",
    ScopeToVersion = "inscopeof.credentialsissuedtoversion",
    TlsKeyExchange = "tlskeyexchange",
    InsightDetails = "insightdetails",
    EventContext = "eventcontext",
    Annotation = "annotation",
}

impl Leaf {
    /// Its bit in a set of leaves.
    pub(crate) const fn bit(self) -> u128 {
        1 << self as u8
    }
}

/// What a field's value should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string, kept as its text.
    Text(Leaf),
    /// `true` or `false`, kept as that word.
    Flag(Leaf),
    /// An object, kept as JSON text.
    Json(Leaf),
    /// An object of known fields: the index of its [`Node`].
    Object(usize),
    /// webIdFederationData.attributes: an object of strings, kept as a map.
    Attributes,
    /// resources: an array of objects of strings.
    Resources,
}

enum Def {
    Text(Leaf),
    Flag(Leaf),
    Json(Leaf),
    Object(&'static [(&'static str, Def)]),
    Attributes,
    Resources,
}

/// The fields in the order AWS writes them, mostly.
const RECORD: &[(&str, Def)] = &[
    ("eventVersion", Def::Text(Leaf::EventVersion)),
    ("userIdentity", Def::Object(USER_IDENTITY)),
    ("eventTime", Def::Text(Leaf::EventTime)),
    ("eventSource", Def::Text(Leaf::EventSource)),
    ("eventName", Def::Text(Leaf::EventName)),
    ("awsRegion", Def::Text(Leaf::AwsRegion)),
    ("sourceIPAddress", Def::Text(Leaf::SourceIp)),
    ("userAgent", Def::Text(Leaf::UserAgent)),
    ("errorCode", Def::Text(Leaf::ErrorCode)),
    ("errorMessage", Def::Text(Leaf::ErrorMessage)),
    ("requestParameters", Def::Json(Leaf::RequestParameters)),
    ("responseElements", Def::Json(Leaf::ResponseElements)),
    ("additionalEventData", Def::Json(Leaf::AdditionalEventData)),
    ("requestID", Def::Text(Leaf::RequestId)),
    ("eventID", Def::Text(Leaf::EventId)),
    ("readOnly", Def::Flag(Leaf::ReadOnly)),
    ("resources", Def::Resources),
    ("eventType", Def::Text(Leaf::EventType)),
    ("apiVersion", Def::Text(Leaf::ApiVersion)),
    ("managementEvent", Def::Flag(Leaf::ManagementEvent)),
    ("recipientAccountId", Def::Text(Leaf::RecipientAccount)),
    ("sharedEventID", Def::Text(Leaf::SharedEventId)),
    ("vpcEndpointId", Def::Text(Leaf::VpcEndpointId)),
    ("vpcEndpointAccountId", Def::Text(Leaf::VpcEndpointAccount)),
    ("serviceEventDetails", Def::Json(Leaf::ServiceEventDetails)),
    ("insightDetails", Def::Json(Leaf::InsightDetails)),
    ("addendum", Def::Object(ADDENDUM)),
    ("eventCategory", Def::Text(Leaf::EventCategory)),
    ("edgeDeviceDetails", Def::Json(Leaf::EdgeDeviceDetails)),
    ("tlsDetails", Def::Object(TLS_DETAILS)),
    ("sessionCredentialFromConsole", Def::Text(Leaf::FromConsole)),
    ("eventContext", Def::Json(Leaf::EventContext)),
    ("annotation", Def::Text(Leaf::Annotation)),
];

const USER_IDENTITY: &[(&str, Def)] = &[
    ("type", Def::Text(Leaf::UserType)),
    ("principalId", Def::Text(Leaf::PrincipalId)),
    ("arn", Def::Text(Leaf::UserArn)),
    ("accountId", Def::Text(Leaf::UserAccount)),
    ("accessKeyId", Def::Text(Leaf::AccessKey)),
    ("userName", Def::Text(Leaf::UserName)),
    ("sessionContext", Def::Object(SESSION_CONTEXT)),
    ("invokedBy", Def::Text(Leaf::InvokedBy)),
    ("invokedByDelegate", Def::Object(&[("accountId", Def::Text(Leaf::DelegateAccount))])),
    ("identityProvider", Def::Text(Leaf::IdentityProvider)),
    ("credentialId", Def::Text(Leaf::CredentialId)),
    (
        "onBehalfOf",
        Def::Object(&[
            ("userId", Def::Text(Leaf::BehalfUser)),
            ("identityStoreArn", Def::Text(Leaf::BehalfStore)),
        ]),
    ),
    (
        "inScopeOf",
        Def::Object(&[
            ("sourceArn", Def::Text(Leaf::ScopeArn)),
            ("sourceAccount", Def::Text(Leaf::ScopeAccount)),
            ("issuerType", Def::Text(Leaf::ScopeType)),
            ("credentialsIssuedTo", Def::Text(Leaf::ScopeTo)),
            ("credentialsIssuedToVersion", Def::Text(Leaf::ScopeToVersion)),
        ]),
    ),
];

const SESSION_CONTEXT: &[(&str, Def)] = &[
    (
        "sessionIssuer",
        Def::Object(&[
            ("type", Def::Text(Leaf::IssuerType)),
            ("principalId", Def::Text(Leaf::IssuerPrincipal)),
            ("arn", Def::Text(Leaf::IssuerArn)),
            ("accountId", Def::Text(Leaf::IssuerAccount)),
            ("userName", Def::Text(Leaf::IssuerName)),
        ]),
    ),
    (
        "webIdFederationData",
        Def::Object(&[
            ("federatedProvider", Def::Text(Leaf::FederatedProvider)),
            ("attributes", Def::Attributes),
        ]),
    ),
    (
        "attributes",
        Def::Object(&[
            ("creationDate", Def::Text(Leaf::CreationDate)),
            ("mfaAuthenticated", Def::Text(Leaf::Mfa)),
        ]),
    ),
    ("ec2RoleDelivery", Def::Text(Leaf::Ec2RoleDelivery)),
    ("sourceIdentity", Def::Text(Leaf::SourceIdentity)),
    ("ec2IssuedInVpc", Def::Text(Leaf::Ec2IssuedInVpc)),
    ("assumedRoot", Def::Text(Leaf::AssumedRoot)),
    ("signInSessionArn", Def::Text(Leaf::SignInSession)),
];

const ADDENDUM: &[(&str, Def)] = &[
    ("reason", Def::Text(Leaf::AddendumReason)),
    ("updatedFields", Def::Text(Leaf::AddendumFields)),
    ("originalRequestID", Def::Text(Leaf::AddendumRequestId)),
    ("originalEventID", Def::Text(Leaf::AddendumEventId)),
];

const TLS_DETAILS: &[(&str, Def)] = &[
    ("tlsVersion", Def::Text(Leaf::TlsVersion)),
    ("cipherSuite", Def::Text(Leaf::TlsCipher)),
    ("clientProvidedHostHeader", Def::Text(Leaf::TlsHost)),
    ("keyExchange", Def::Text(Leaf::TlsKeyExchange)),
];

/// One field of an object.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its key, as AWS spells it.
    pub(crate) key: &'static str,
    /// The keys from the record down to it, joined by dots.
    pub(crate) path: String,
    /// What its value should be.
    pub(crate) kind: Kind,
    /// Its key in quotes, and the colon behind it.
    pub(crate) quoted: Quoted,
    /// Its number among all fields.
    pub(crate) id: usize,
    /// Its number in its node.
    pub(crate) position: u8,
    /// Its bit in a set of fields.
    pub(crate) bit: u128,
    /// The bits of the fields below it.
    pub(crate) below: u128,
    /// The bits of the leaves that it and the fields below it fill.
    pub(crate) leaves: u128,
}

/// A short piece of text that is compared without a loop.
#[derive(Debug)]
pub(crate) struct Quoted {
    words: [u64; 4],
    masks: [u64; 4],
    /// Its length in bytes.
    pub(crate) len: usize,
}

impl Quoted {
    fn new(key: &str) -> Self {
        let text = format!("\"{key}\":");
        let mut quoted = Self { words: [0; 4], masks: [0; 4], len: text.len() };
        let places = quoted.words.iter_mut().zip(&mut quoted.masks);
        for ((word, mask), bytes) in places.zip(text.as_bytes().chunks(8)) {
            *word = bytes.iter().rev().fold(0, |word, &b| word << 8 | u64::from(b));
            *mask = bytes.iter().fold(0, |mask, _| mask << 8 | 0xff);
        }
        quoted
    }

    /// Whether `text` has it at `at`. Says no near the end of the text, where it might.
    #[inline]
    pub(crate) fn is_at(&self, text: &[u8], at: usize) -> bool {
        let Some(found) = text.get(at..).and_then(<[u8]>::first_chunk::<32>) else { return false };
        let (found, _) = found.as_chunks::<8>();
        let mut difference = 0;
        for ((found, word), mask) in found.iter().zip(&self.words).zip(&self.masks) {
            difference |= (u64::from_le_bytes(*found) ^ word) & mask;
        }
        difference == 0
    }
}

/// An object of known fields.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its fields, in the order AWS writes them.
    pub(crate) fields: Vec<Field>,
    /// Index of a field by the hash of its key; 255 where there is none.
    slots: Vec<u8>,
    multiplier: u64,
}

/// The number of the slots for the fields of a node, as a power of two.
const SLOT_BITS: u32 = 7;
/// No [`Field::position`].
pub(crate) const NO_FIELD: u8 = u8::MAX;

impl Node {
    /// The field whose key is exactly `key`.
    #[inline]
    pub(crate) fn field(&self, key: &[u8]) -> Option<&Field> {
        let slot = slot(key, self.multiplier);
        let field = self.fields.get(usize::from(*self.slots.get(slot)?))?;
        (field.key.as_bytes() == key).then_some(field)
    }

    /// The field whose key is `key` but for the case of its letters.
    pub(crate) fn field_in_any_case(&self, key: &[u8]) -> Option<&Field> {
        self.fields.iter().find(|field| field.key.as_bytes().eq_ignore_ascii_case(key))
    }

    fn new(fields: Vec<Field>) -> Self {
        // Some odd multiplier gives each key a slot of its own: at most 33 keys in 128 slots.
        let mut multiplier = 0x9e37_79b9_7f4a_7c15_u64;
        loop {
            let mut slots = vec![NO_FIELD; 1 << SLOT_BITS];
            let free = fields.iter().zip(0_u8..).all(|(field, index)| {
                let slot = slots.get_mut(slot(field.key.as_bytes(), multiplier));
                slot.is_some_and(|slot| std::mem::replace(slot, index) == NO_FIELD)
            });
            if free {
                return Self { fields, slots, multiplier };
            }
            multiplier = multiplier.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(2);
        }
    }
}

/// Where a key is looked for: no two keys of a node agree in length and first eight bytes.
#[inline]
fn slot(key: &[u8], multiplier: u64) -> usize {
    let head = match key.first_chunk::<8>() {
        Some(head) => u64::from_le_bytes(*head),
        None => key.iter().rev().fold(0, |word, &b| word << 8 | u64::from(b)),
    };
    let mixed = (head ^ (key.len() as u64) << 56).wrapping_mul(multiplier);
    (mixed >> (64 - SLOT_BITS)) as usize
}

/// The whole tree: `nodes()[0]` is the record.
pub(crate) fn nodes() -> &'static [Node] {
    static NODES: LazyLock<Vec<Node>> = LazyLock::new(|| {
        let mut nodes = Vec::new();
        build(RECORD, "", &mut 0, &mut nodes);
        nodes.into_iter().map(Node::new).collect()
    });
    &NODES
}

/// Lays `defs` out as a node, its children behind it, and gives its index.
fn build(
    defs: &[(&'static str, Def)],
    path: &str,
    bits: &mut u32,
    nodes: &mut Vec<Vec<Field>>,
) -> usize {
    let index = nodes.len();
    nodes.push(Vec::new());
    let mut fields = Vec::with_capacity(defs.len());
    for (key, def) in defs {
        let path = format!("{path}{key}");
        let quoted = Quoted::new(key);
        let (id, position) = (*bits as usize, u8::try_from(fields.len()).unwrap_or(NO_FIELD));
        let bit = 1_u128 << *bits;
        *bits += 1;
        let first_below = *bits;
        let (kind, leaves) = match def {
            Def::Text(leaf) => (Kind::Text(*leaf), leaf.bit()),
            Def::Flag(leaf) => (Kind::Flag(*leaf), leaf.bit()),
            Def::Json(leaf) => (Kind::Json(*leaf), leaf.bit()),
            Def::Attributes => (Kind::Attributes, 0),
            Def::Resources => (Kind::Resources, 0),
            Def::Object(defs) => {
                let child = build(defs, &format!("{path}."), bits, nodes);
                let leaves = nodes.get(child).into_iter().flatten();
                (Kind::Object(child), leaves.fold(0, |set, field| set | field.leaves))
            }
        };
        let below = ((1_u128 << *bits) - 1) & !((1_u128 << first_below) - 1);
        fields.push(Field { key, path, kind, quoted, id, position, bit, below, leaves });
    }
    if let Some(node) = nodes.get_mut(index) {
        *node = fields;
    }
    index
}
