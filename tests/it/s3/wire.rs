//! Connections: what is counted, what goes wrong before and after the service, and latency.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
    header::{CONTENT_LENGTH, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use s3s::{Body, S3ErrorCode, s3_error, service::S3Service};
use tokio::net::{TcpListener, TcpStream};

use super::{
    Shared,
    faults::{Fault, Kind},
};

/// Serves whoever connects, until it is dropped.
pub(super) async fn serve(listener: TcpListener, service: S3Service, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, service.clone(), Arc::clone(&shared)));
    }
}

async fn connection(stream: TcpStream, service: S3Service, shared: Arc<Shared>) {
    let is_reset = Arc::new(AtomicBool::new(false));
    let reset = Arc::clone(&is_reset);
    let answers = service_fn(move |request| {
        let (service, shared, reset) = (service.clone(), Arc::clone(&shared), Arc::clone(&reset));
        Box::pin(
            async move { Ok::<_, Infallible>(answer(request, &service, &shared, reset).await) },
        )
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answers);
    // A client that goes away is no fault of the service's.
    let _ = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    if is_reset.load(Ordering::Relaxed) {
        let stream = connection.into_parts().io.into_inner();
        // Closed with this set, the peer gets a reset instead of an end.
        let _ = stream.set_zero_linger();
    }
}

async fn answer(
    request: Request<Incoming>,
    service: &S3Service,
    shared: &Shared,
    reset: Arc<AtomicBool>,
) -> Response<Body> {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    let kind = Kind::of(request.method().as_str(), path, query);
    let _in_flight = shared.counts.begin(kind);
    if kind == Kind::Write {
        shared.watch_write(request.method().as_str(), path);
    }
    let plan = shared.faults.plan();
    if !plan.latency.is_zero() {
        tokio::time::sleep(plan.latency).await;
    }
    if plan.expires_after.is_some_and(|n| shared.counts.all() > n) {
        shared.faults.struck(Fault::ExpiredToken);
        return refusal(s3_error!(ExpiredToken, "The provided token has expired."));
    }
    let is_too_much = plan.most_at_once.is_some_and(|most| shared.counts.in_flight() > most);
    let fault = if is_too_much {
        Some(Fault::SlowDown)
    } else {
        shared.faults.next(kind, &format!("{path}?{query}"))
    };
    match fault {
        Some(Fault::SlowDown) => {
            shared.faults.struck(Fault::SlowDown);
            refusal(s3_error!(SlowDown, "Please reduce your request rate."))
        }
        Some(Fault::InternalError) => {
            shared.faults.struck(Fault::InternalError);
            refusal(s3_error!(InternalError, "We encountered an internal error. Please try again."))
        }
        fault => {
            let answer = match service.call(request.map(Body::from)).await {
                Ok(answer) => answer,
                Err(_) => refusal(S3ErrorCode::InternalError.into()),
            };
            match fault {
                Some(Fault::LostAnswer) if answer.status().is_success() => {
                    shared.faults.struck(Fault::LostAnswer);
                    refusal(S3ErrorCode::InternalError.into())
                }
                Some(fault) if answer.status().is_success() => {
                    let (head, body) = answer.into_parts();
                    let whole = body.collect().await.map(http_body_util::Collected::to_bytes);
                    let answer = Response::from_parts(head, whole.unwrap_or_default());
                    spoil(answer, fault, shared, reset)
                }
                _ => answer,
            }
        }
    }
}

fn refusal(error: s3s::S3Error) -> Response<Body> {
    error.to_http_response().unwrap_or_default()
}

/// `answer` as it arrives with `fault`; as it is where it has no bytes to spoil.
fn spoil(
    answer: Response<Bytes>,
    fault: Fault,
    shared: &Shared,
    reset: Arc<AtomicBool>,
) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    let half = body.len() / 2;
    if half == 0 {
        return Response::from_parts(head, Body::from(body));
    }
    shared.faults.struck(fault);
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let body = match fault {
        Fault::Reset => broken(body.slice(..half), Some(reset)),
        Fault::Cut => broken(body.slice(..half), None),
        Fault::ShortBody => {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(half));
            Body::from(body.slice(..half))
        }
        Fault::WrongBytes => {
            let mut bytes = body.to_vec();
            bytes.iter_mut().skip(half).take(1).for_each(|byte| *byte ^= 1);
            Body::from(bytes)
        }
        _ => Body::from(body),
    };
    Response::from_parts(head, body)
}

/// `bytes`, and then the connection breaks.
fn broken(bytes: Bytes, reset: Option<Arc<AtomicBool>>) -> Body {
    let parts = futures::stream::unfold(Some(bytes), move |left| {
        let reset = reset.clone();
        async move {
            if let Some(bytes) = left {
                return Some((Ok(Frame::data(bytes)), None));
            }
            // So that what was sent arrives before the connection breaks.
            tokio::time::sleep(Duration::from_millis(2)).await;
            if let Some(reset) = reset {
                reset.store(true, Ordering::Relaxed);
            }
            Some((Err(io::Error::other("the connection breaks")), None))
        }
    });
    Body::http_body_unsync(StreamBody::new(parts))
}
