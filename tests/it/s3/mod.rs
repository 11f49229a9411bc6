//! Evidence in S3: an S3 service in this process, and what must hold against it.
//!
//! The service speaks S3 over HTTP on a port of its own (`s3s` on hyper): signatures, pages of
//! 1,000 keys, versions and delete markers, conditions, multipart uploads. A [`Plan`] says what
//! goes wrong; a test that relies on a [`Fault`] ends with [`Server::assert_injected`]. Nobody may
//! write to a bucket of evidence: whoever tries is refused, and the test fails.
//!
//! ```text
//! let bucket = Bucket::evidence("logs").with("AWSLogs/…/x.json.gz", bytes);
//! let server = Server::with_faults([bucket], Plan::none().with(Fault::SlowDown, 50_000));
//! let output = server.command(&cache, &["ingest", "s3://logs"]).output();
//! server.assert_injected(Fault::SlowDown);
//! assert_eq!(server.requests(Kind::Get), …);
//! ```

mod access;
mod cache;
mod checks;
mod chosen;
mod delivery;
mod encoding;
mod faults;
mod fetch;
mod ingest;
mod inventory;
mod listing;
mod organisation;
mod server;
mod service;
mod store;
mod wire;

use self::server::Shared;
pub(crate) use self::{
    faults::{Fault, Kind, Plan},
    server::Server,
    store::{Bucket, Content, Denial, Listed, Policy},
};
