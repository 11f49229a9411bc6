//! `CloudTrail`'s API as far as it is asked: `LookupEvents` and `ListPublicKeys`, with faults.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};

/// Events on a page.
const PAGE_EVENTS: usize = 50;

/// Keys on a page.
const PAGE_KEYS: usize = 2;

/// One event in a region's history.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Seconds since 1970.
    pub(crate) at: i64,
    /// What `LookupEvents` sends.
    pub(crate) sent: Value,
}

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// Each so many requests one is throttled.
    pub(crate) throttle_every: Option<usize>,
    /// So many tokens are no longer known when they come back.
    pub(crate) tokens_to_expire: usize,
    /// Regions that a policy denies.
    pub(crate) denied: Vec<String>,
    /// Regions that do not know the credentials.
    pub(crate) unknown: Vec<String>,
    /// Answers take so long.
    pub(crate) delay: Duration,
    /// Only so many requests are answered; the others wait for ever.
    pub(crate) answers: Option<usize>,
    /// From so many requests on, credentials have expired.
    pub(crate) expire_after: Option<usize>,
}

/// A request for events.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    /// Seconds since 1970.
    pub(crate) since: i64,
    pub(crate) until: i64,
}

#[derive(Debug, Default)]
struct State {
    histories: BTreeMap<String, Vec<Event>>,
    keys: Vec<Value>,
    faults: Faults,
    n_requests: usize,
    lookups: Vec<Lookup>,
    /// How often each fault was injected.
    injected: BTreeMap<&'static str, usize>,
}

/// The service, on a port of its own.
pub(crate) struct CloudTrail {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    _runtime: Runtime,
    _stop: oneshot::Sender<()>,
}

impl CloudTrail {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, mut stopped) = oneshot::channel::<()>();
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            loop {
                let (stream, _) = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap(),
                    _ = &mut stopped => return,
                };
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let answer = service_fn(move |request| answer(Arc::clone(&state), request));
                    // A client that was killed breaks the connection.
                    drop(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), answer)
                            .await,
                    );
                });
            }
        });
        Self { state, address, _runtime: runtime, _stop: stop }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gives a region its history.
    pub(crate) fn record(&self, region: &str, events: Vec<Event>) {
        let mut state = lock(&self.state);
        let history = state.histories.entry(region.to_owned()).or_default();
        history.extend(events);
        // The latest first.
        history.sort_by_key(|event| std::cmp::Reverse(event.at));
    }

    pub(crate) fn set_keys(&self, keys: Vec<Value>) {
        lock(&self.state).keys = keys;
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        lock(&self.state).faults = faults;
    }

    /// The requests for events so far; they are forgotten.
    pub(crate) fn take_lookups(&self) -> Vec<Lookup> {
        std::mem::take(&mut lock(&self.state).lookups)
    }

    /// How often a fault was injected.
    pub(crate) fn injected(&self, fault: &str) -> usize {
        lock(&self.state).injected.get(fault).copied().unwrap_or_default()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

type Answer = Response<Full<Bytes>>;

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (target, authorization) = (header("x-amz-target"), header("authorization"));
    // Credential=KEY/DAY/REGION/cloudtrail/aws4_request
    let region = authorization.split('/').nth(2).unwrap_or_default().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let (delay, is_answered) = {
        let mut state = lock(&state);
        state.n_requests += 1;
        let is_answered = state.faults.answers.is_none_or(|n| state.n_requests <= n);
        (state.faults.delay, is_answered)
    };
    if !is_answered {
        *lock(&state).injected.entry("silence").or_default() += 1;
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(delay).await;
    let mut state = lock(&state);
    let answered = match target.rsplit('.').next().unwrap_or_default() {
        "LookupEvents" => lookup(&mut state, &region, &body),
        "ListPublicKeys" => Ok(list_keys(&state, &body)),
        other => Err(("UnknownOperationException", format!("{other} is not known"))),
    };
    let (status, body) = match answered {
        Ok(body) => (200, body),
        Err((code, message)) => (400, json!({ "__type": code, "message": message })),
    };
    let response = Response::builder().status(status);
    let response = response.header("content-type", "application/x-amz-json-1.1");
    Ok(response.body(Full::new(Bytes::from(body.to_string()))).unwrap())
}

type Refused = (&'static str, String);

fn lookup(state: &mut State, region: &str, body: &Value) -> Result<Value, Refused> {
    let seconds = |name: &str| body[name].as_f64().map(|seconds| format!("{seconds:.0}"));
    let (since, until) = (seconds("StartTime").unwrap(), seconds("EndTime").unwrap());
    let (since, until): (i64, i64) = (since.parse().unwrap(), until.parse().unwrap());
    assert!(since <= until, "AWS refuses {since} to {until}");
    assert!(body["MaxResults"].as_u64().is_none_or(|n| n <= 50), "AWS refuses {body}");
    let token = body["NextToken"].as_str();
    let has_token = token.is_some();
    state.lookups.push(Lookup { since, until });
    let n = state.lookups.len();
    let mut inject = |fault| *state.injected.entry(fault).or_default() += 1;
    if state.faults.denied.iter().any(|denied| denied == region) {
        inject("denied");
        let user = "arn:aws:iam::111122223333:user/responder";
        let text = format!("User: {user} is not authorized to perform: cloudtrail:LookupEvents");
        return Err(("AccessDeniedException", text));
    }
    if state.faults.unknown.iter().any(|unknown| unknown == region) {
        inject("unknown");
        let text = "The security token included in the request is invalid.";
        return Err(("UnrecognizedClientException", text.to_owned()));
    }
    if state.faults.expire_after.is_some_and(|after| n > after) {
        inject("expired");
        let text = "The security token included in the request is expired";
        return Err(("ExpiredTokenException", text.to_owned()));
    }
    if state.faults.throttle_every.is_some_and(|every| n.is_multiple_of(every)) {
        inject("throttled");
        return Err(("ThrottlingException", "Rate exceeded".to_owned()));
    }
    if has_token && state.faults.tokens_to_expire > 0 {
        state.faults.tokens_to_expire -= 1;
        inject("token");
        return Err(("InvalidNextTokenException", "Invalid token".to_owned()));
    }
    let within = |event: &&Event| since <= event.at && event.at <= until;
    let history = state.histories.get(region).map(Vec::as_slice).unwrap_or_default();
    let events: Vec<&Event> = history.iter().filter(within).collect();
    let from = token.map_or(0, |token| {
        // A token is good for the request that it continues, and no other.
        let (asked, from) = token.split_once('|').unwrap();
        assert_eq!(asked, format!("{region} {since} {until}"), "AWS refuses the token");
        from.parse().unwrap()
    });
    let page: Vec<&Value> =
        events.iter().skip(from).take(PAGE_EVENTS).map(|event| &event.sent).collect();
    let mut answer = json!({ "Events": page });
    if from + PAGE_EVENTS < events.len() {
        answer["NextToken"] = json!(format!("{region} {since} {until}|{}", from + PAGE_EVENTS));
    }
    Ok(answer)
}

fn list_keys(state: &State, body: &Value) -> Value {
    assert!(body["StartTime"].is_number() && body["EndTime"].is_number(), "{body}");
    let from: usize = body["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let page: Vec<&Value> = state.keys.iter().skip(from).take(PAGE_KEYS).collect();
    let mut answer = json!({ "PublicKeyList": page });
    if from + PAGE_KEYS < state.keys.len() {
        answer["NextToken"] = json!((from + PAGE_KEYS).to_string());
    }
    answer
}
