//! Writing the records of one file.

use super::{
    apis::Api,
    plan::File,
    random::Rng,
    text::{Filling, hex, iso, put, s3_request_id, us_date, uuid},
    world::{ERRORS, SERVICES, Session, World},
};

/// How long credentials live, in seconds: the longest that STS gives.
const LIFETIME: i64 = 43_200;

/// Writes the records of files.
pub struct Writer<'a> {
    world: &'a World,
    seed: u64,
}

/// Who calls.
enum Caller<'s> {
    Service(usize),
    User(usize),
    /// A console session of a user, signed in at that time.
    Console(usize, i64),
    Role(&'s Session),
    Root,
    /// A service event: no type, only an account and who invoked it.
    Nobody(usize),
}

impl<'a> Writer<'a> {
    /// A writer of the world of `seed`.
    pub fn new(world: &'a World, seed: u64) -> Self {
        Self { world, seed }
    }

    /// The sessions that a file's own AssumeRole records issue: one for about a dozen records.
    fn sessions(&self, file: &File) -> Vec<Session> {
        let mut rng = Rng::new(&[self.seed, 3, file.index]);
        let n = file.sessions;
        (0..n)
            .map(|k| {
                let created = file.start + (file.end - file.start) / 4 * k as i64 / n.max(1) as i64;
                Session::new(self.world, file.account, created, &mut rng)
            })
            .collect()
    }

    /// The session that the file's first session assumes in another account.
    fn crossing(&self, file: &File, target: usize) -> Option<(Session, u64)> {
        let mut rng = Rng::new(&[self.seed, 4, file.index]);
        (file.sessions > 0).then(|| {
            let created = file.start + (file.end - file.start) / 4;
            (Session::new(self.world, target, created, &mut rng), rng.bits())
        })
    }

    /// Appends the file's records, separated by commas, and of them at most `limit`.
    ///
    /// `files` are all of the plan's: a file uses credentials that earlier ones issued.
    pub fn records(&self, out: &mut Vec<u8>, files: &[File], file: &File, limit: usize) {
        let mut rng = Rng::new(&[self.seed, 5, file.index]);
        let mut sessions = self.sessions(file);
        let own = sessions.len();
        if let Some(before) = file.previous.and_then(|n| files.get(n)) {
            let fresh = |session: &Session| session.created + LIFETIME > file.end;
            sessions.extend(self.sessions(before).into_iter().filter(fresh));
        }
        let (mut written, mut first) = (0, true);
        let mut next = |out: &mut Vec<u8>| {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            written += 1;
            written <= limit && written <= file.events
        };
        for session in sessions.iter().take(own) {
            if !next(out) {
                out.pop();
                return;
            }
            self.issue(out, file, session, None, &mut rng);
        }
        if let Some(target) = file.crosses_to
            && let Some((session, shared)) = self.crossing(file, target)
        {
            if !next(out) {
                out.pop();
                return;
            }
            self.issue(out, file, &session, Some((&sessions[0], shared)), &mut rng);
        }
        if let Some(from) = file.crossed_from.and_then(|n| files.get(n))
            && let Some((session, shared)) = self.crossing(from, file.account)
        {
            if !next(out) {
                out.pop();
                return;
            }
            let parent = self.sessions(from).swap_remove(0);
            self.issue(out, file, &session, Some((&parent, shared)), &mut rng);
            sessions.push(session);
        }
        let mut k = 0;
        while next(out) {
            self.call(out, file, &sessions, k, &mut rng);
            k += 1;
        }
        out.pop();
    }

    /// An AssumeRole: by a service, or from another session across accounts, in which case both
    /// accounts get a copy that shares `sharedEventID`.
    fn issue(
        &self,
        out: &mut Vec<u8>,
        file: &File,
        session: &Session,
        parent: Option<(&Session, u64)>,
        rng: &mut Rng,
    ) {
        let service = SERVICES[self.world.service_tail.sample(rng)];
        put(out, r#"{"eventVersion":"1.08","userIdentity":"#);
        let (ip, agent) = match parent {
            None => {
                put(out, r#"{"type":"AWSService","invokedBy":""#);
                put(out, service);
                put(out, r#""}"#);
                (service, service)
            }
            Some((parent, _)) => {
                let account = &self.world.accounts[parent.account];
                let role = &account.roles[parent.role];
                if parent.account == file.account {
                    out.extend_from_slice(&parent.identity);
                } else {
                    put(out, r#"{"type":"AWSAccount","principalId":""#);
                    put(out, &role.id);
                    out.push(b':');
                    put(out, &parent.name);
                    put(out, r#"","accountId":""#);
                    put(out, &account.id);
                    put(out, r#""}"#);
                }
                (role.address.as_str(), self.world.agents[role.agent].as_str())
            }
        };
        let target = &self.world.accounts[session.account];
        let role = &target.roles[session.role];
        put(out, r#","eventTime":""#);
        iso(out, session.created);
        put(out, r#"","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","awsRegion":""#);
        put(out, file.region);
        put(out, r#"","sourceIPAddress":""#);
        put(out, ip);
        put(out, r#"","userAgent":""#);
        put(out, agent);
        let arn = format!("arn:aws:iam::{}:role/{}", target.id, role.name);
        put(
            out,
            &format!(
                r#"","requestParameters":{{"roleArn":"{arn}","roleSessionName":"{}","durationSeconds":43200}},"responseElements":{{"credentials":{{"accessKeyId":"{}","sessionToken":"IQoJb3JpZ2luX2VjE"#,
                session.name, session.key
            ),
        );
        super::text::token(
            out,
            &mut Rng::new(&[session.created.unsigned_abs(), session.role as u64]),
            64,
        );
        put(out, r#"","expiration":""#);
        us_date(out, session.created + LIFETIME);
        put(
            out,
            &format!(
                r#""}},"assumedRoleUser":{{"assumedRoleId":"{}:{}","arn":"arn:aws:sts::{}:assumed-role/{}/{}"}}}},"requestID":""#,
                role.id, session.name, target.id, role.name, session.name
            ),
        );
        uuid(out, &mut Rng::new(&[9, parent.map_or_else(|| rng.bits(), |(_, shared)| shared)]));
        put(out, r#"","eventID":""#);
        uuid(out, rng);
        put(
            out,
            &format!(
                r#"","readOnly":true,"resources":[{{"accountId":"{}","type":"AWS::IAM::Role","ARN":"{arn}"}}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{}","sharedEventID":""#,
                target.id, self.world.accounts[file.account].id
            ),
        );
        uuid(out, &mut Rng::new(&[parent.map_or_else(|| rng.bits(), |(_, shared)| shared)]));
        put(out, r#"","eventCategory":"Management"}"#);
    }

    /// A call of an API by someone.
    fn call(&self, out: &mut Vec<u8>, file: &File, sessions: &[Session], k: usize, rng: &mut Rng) {
        let world = self.world;
        let account = &world.accounts[file.account];
        let span = (file.end - file.start).max(1);
        let spread = span * k as i64 / file.events.max(1) as i64;
        let mut time = file.start + spread + rng.below(40) as i64 - 20;
        let caller = match rng.below(1000) {
            0..=219 => Caller::Service(world.service_tail.sample(rng)),
            220..=226 => Caller::Nobody(world.service_tail.sample(rng)),
            227..=229 => Caller::Root,
            230..=299 => Caller::Console(world.user_tail.sample(rng), file.start - 600),
            300..=479 => Caller::User(world.user_tail.sample(rng)),
            _ if sessions.is_empty() => Caller::User(world.user_tail.sample(rng)),
            _ => {
                let session = rng.pick(sessions);
                time = time.max(session.created + 1);
                Caller::Role(session)
            }
        };
        let service = matches!(caller, Caller::Service(_) | Caller::Nobody(_));
        let api = if service {
            &world.service_calls[world.service_weights.sample(rng)]
        } else {
            &world.calls[world.call_weights.sample(rng)]
        };
        let filling = Filling {
            account: &account.id,
            region: file.region,
            bucket: &account.buckets[world.bucket_tail.sample(rng)],
            object: rng.below(200_000),
            seconds: time,
        };
        let error = (!service && rng.once_in(14)).then(|| ERRORS[world.error_tail.sample(rng)]);
        self.write(out, file, &caller, api, &filling, error, rng);
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one record, each decided before")]
    fn write(
        &self,
        out: &mut Vec<u8>,
        file: &File,
        caller: &Caller<'_>,
        api: &Api,
        filling: &Filling<'_>,
        error: Option<(&str, &str)>,
        rng: &mut Rng,
    ) {
        const VERSIONS: [&str; 8] =
            ["1.08", "1.08", "1.08", "1.09", "1.09", "1.10", "1.11", "1.05"];
        put(out, r#"{"eventVersion":""#);
        put(out, VERSIONS[rng.index(VERSIONS.len())]);
        put(out, r#"","userIdentity":"#);
        self.identity(out, caller, filling.account);
        put(out, r#","eventTime":""#);
        iso(out, filling.seconds);
        put(out, r#"","eventSource":""#);
        put(out, api.service);
        put(out, r#".amazonaws.com","eventName":""#);
        put(out, &api.name);
        put(out, r#"","awsRegion":""#);
        put(out, file.region);
        let outside = self.origin(out, caller, file, rng);
        if let Some((code, message)) = error {
            put(out, r#","errorCode":""#);
            put(out, code);
            put(out, r#"","errorMessage":""#);
            put(out, message);
            put(out, "\"");
        }
        put(out, r#","requestParameters":"#);
        api.request.fill(out, filling, rng);
        put(out, r#","responseElements":"#);
        let large = rng.once_in(4000);
        if large {
            findings(out, rng);
        } else if error.is_some() {
            put(out, "null");
        } else {
            api.response.fill(out, filling, rng);
        }
        if let Some(extra) = &api.extra {
            put(out, r#","additionalEventData":"#);
            extra.fill(out, filling, rng);
        }
        ids(out, caller, api, filling, outside, rng);
        if matches!(caller, Caller::Console(..)) {
            // The console calls through a proxy of AWS's: no TLS details then.
            put(out, r#","sessionCredentialFromConsole":"true""#);
        } else if outside {
            put(
                out,
                r#","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":""#,
            );
            put(out, api.service);
            out.push(b'.');
            put(out, file.region);
            put(out, r#".amazonaws.com"}"#);
        }
        out.push(b'}');
    }

    /// `userIdentity`.
    fn identity(&self, out: &mut Vec<u8>, caller: &Caller<'_>, account: &str) {
        let user = |out: &mut Vec<u8>, n: usize, key: Option<&str>| {
            let owner = self.world.accounts.iter().find(|a| a.id == account);
            let Some(user) = owner.and_then(|a| a.users.get(n)) else { return };
            for part in [
                r#"{"type":"IAMUser","principalId":""#,
                &user.id,
                r#"","arn":"arn:aws:iam::"#,
                account,
                ":user/",
                &user.name,
                r#"","accountId":""#,
                account,
                r#"","accessKeyId":""#,
                key.unwrap_or(&user.key),
                r#"","userName":""#,
                &user.name,
                "\"",
            ] {
                put(out, part);
            }
        };
        match caller {
            Caller::Service(n) => {
                put(out, r#"{"type":"AWSService","invokedBy":""#);
                put(out, SERVICES[*n]);
                put(out, r#""}"#);
            }
            Caller::Nobody(n) => {
                put(out, r#"{"accountId":""#);
                put(out, account);
                put(out, r#"","invokedBy":""#);
                put(out, SERVICES[*n]);
                put(out, r#""}"#);
            }
            Caller::User(n) => {
                user(out, *n, None);
                out.push(b'}');
            }
            Caller::Console(n, since) => {
                let mut key = Vec::new();
                let session = &mut Rng::new(&[self.seed, 6, *n as u64, since.unsigned_abs()]);
                super::text::unique_id(&mut key, "ASIA", session, 9);
                user(out, *n, std::str::from_utf8(&key).ok());
                put(
                    out,
                    r#","sessionContext":{"sessionIssuer":{},"webIdFederationData":{},"attributes":{"creationDate":""#,
                );
                iso(out, *since);
                put(
                    out,
                    if n % 7 == 0 {
                        r#"","mfaAuthenticated":"false"}}}"#
                    } else {
                        r#"","mfaAuthenticated":"true"}}}"#
                    },
                );
            }
            Caller::Role(session) => out.extend_from_slice(&session.identity),
            Caller::Root => {
                put(
                    out,
                    &format!(
                        r#"{{"type":"Root","principalId":"{account}","arn":"arn:aws:iam::{account}:root","accountId":"{account}","accessKeyId":"#
                    ),
                );
                put(
                    out,
                    r#""ASIAIOSFODNN7EXAMPLE","sessionContext":{"attributes":{"mfaAuthenticated":"true","creationDate":"2024-01-01T00:00:00Z"}}}"#,
                );
            }
        }
    }

    /// `sourceIPAddress` and `userAgent`; says whether the call came from outside AWS.
    fn origin(&self, out: &mut Vec<u8>, caller: &Caller<'_>, file: &File, rng: &mut Rng) -> bool {
        let account = &self.world.accounts[file.account];
        put(out, r#"","sourceIPAddress":""#);
        let principal = match caller {
            Caller::Service(n) | Caller::Nobody(n) => {
                let service = if rng.once_in(12) { "AWS Internal" } else { SERVICES[*n] };
                put(out, service);
                put(out, r#"","userAgent":""#);
                put(out, service);
                put(out, "\"");
                return false;
            }
            Caller::User(n) | Caller::Console(n, _) => &account.users[*n],
            Caller::Role(session) => &account.roles[session.role],
            Caller::Root => &account.users[0],
        };
        if rng.once_in(30) {
            put(out, &super::world::address(rng));
        } else {
            put(out, &principal.address);
        }
        put(out, r#"","userAgent":""#);
        let agent =
            if rng.once_in(20) { rng.index(self.world.agents.len()) } else { principal.agent };
        put(out, &self.world.agents[agent]);
        put(out, "\"");
        true
    }
}

/// From `requestID` to `eventCategory`.
fn ids(
    out: &mut Vec<u8>,
    caller: &Caller<'_>,
    api: &Api,
    filling: &Filling<'_>,
    outside: bool,
    rng: &mut Rng,
) {
    put(out, r#","requestID":""#);
    if api.service == "s3" {
        s3_request_id(out, rng);
    } else {
        uuid(out, rng);
    }
    put(out, r#"","eventID":""#);
    uuid(out, rng);
    put(out, if api.read { r#"","readOnly":true"# } else { r#"","readOnly":false"# });
    if let Some(resources) = &api.resources {
        put(out, r#","resources":"#);
        resources.fill(out, filling, rng);
    }
    let kind = if matches!(caller, Caller::Nobody(_)) { "AwsServiceEvent" } else { "AwsApiCall" };
    put(out, r#","eventType":""#);
    put(out, kind);
    put(out, r#"","managementEvent":"#);
    put(out, if api.data { "false" } else { "true" });
    put(out, r#","recipientAccountId":""#);
    put(out, filling.account);
    if matches!(caller, Caller::Service(_)) {
        put(out, r#"","sharedEventID":""#);
        uuid(out, rng);
    } else if api.service == "s3" && outside && rng.once_in(3) {
        put(out, r#"","vpcEndpointId":"vpce-0a1b2c3d4e5f60718"#);
    }
    put(out, r#"","eventCategory":""#);
    put(out, if api.data { "Data\"" } else { "Management\"" });
}

/// A response of 20 to 60 KB, as `DescribeImageScanFindings` gives.
fn findings(out: &mut Vec<u8>, rng: &mut Rng) {
    let n = 90 + rng.below(200);
    put(out, r#"{"imageScanFindings":{"findings":["#);
    for k in 0..n {
        if k > 0 {
            out.push(b',');
        }
        put(out, r#"{"name":"CVE-2024-"#);
        super::text::number(out, 10_000 + rng.below(40_000));
        put(out, r#"","severity":"MEDIUM","uri":"https://example.com/advisories/"#);
        hex(out, rng, 12);
        put(out, r#"","attributes":[{"key":"package_version","value":"1.2."#);
        super::text::number(out, rng.below(90));
        put(out, r#""},{"key":"package_name","value":"libexample"}]}"#);
    }
    put(out, "]}}");
}
