//! The walk over a bucket: pages asked for side by side, folders where they tell what is chosen.
//!
//! Requests run on the connection's threads; what they bring is dealt with here, one page after
//! the other. Where all keys below a folder are chosen they are listed without delimiter, a
//! thousand at once. A folder that proves large is split: its own folders are asked for, those that
//! are done with are passed over, and the rest is listed side by side.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};

use futures::FutureExt as _;

use super::layout::{At, Step, step};
use crate::{
    ErrorKind, Result,
    aws::{
        Aws, Failure, FailureKind,
        s3::{Bucket, Next, Object, Page},
    },
    source::ListOptions,
};

/// Requests at once. A service that has too many of them says so, and they are sent again.
const MAX_AT_ONCE: usize = 32;

/// Pages of a folder after which it counts as large.
const PAGES_OF_ONE: u32 = 4;

/// Folders outside the layout that are looked into one by one; what lies below further ones is
/// listed without asking for folders.
const MAX_UNKNOWN_FOLDERS: u32 = 2_000;

/// What takes what a walk finds.
pub(super) trait Finds {
    /// Takes objects of one page, in the order of their keys; with versions, of one key the newest
    /// first. `newer` is the one before the first, where the page begins within the versions of a
    /// key, and becomes the last.
    fn objects(&mut self, objects: Vec<Object>, newer: &mut Option<Object>);

    /// Takes a folder of another service, whose keys are not listed.
    fn other(&mut self, prefix: &str, service: &'static str);

    /// Takes a prefix that could not be listed to its end.
    fn fault(&mut self, prefix: &str, failure: &Failure);
}

/// A walk over a part of a bucket.
pub(super) struct Walk<'a> {
    aws: &'a Aws,
    bucket: &'a Bucket,
    options: &'a ListOptions<'a>,
    /// What is still to be asked for; the next at the end.
    todo: Vec<Node>,
    n_running: usize,
    n_unknown_folders: u32,
    sender: Sender<Answer>,
    answers: Receiver<Answer>,
}

type Answer = (Node, Result<Page, Failure>);

/// A prefix that is being listed, from one page on.
struct Node {
    prefix: String,
    way: Way,
    from: Option<Next>,
    n_pages: u32,
    /// The version before the first of this page.
    newer: Option<Object>,
}

enum Way {
    /// The folders of one level, and the keys in it.
    Folders(At),
    /// All keys.
    Keys {
        /// Whether it may be split when it proves large.
        may_split: bool,
    },
    /// The folders of one level whose keys were listed up to a key.
    Split { last_key: String, resume: Next },
}

impl Node {
    fn new(prefix: String, way: Way) -> Self {
        Self { prefix, way, from: None, n_pages: 0, newer: None }
    }

    /// The same prefix from `next` on.
    fn at(self, next: Next) -> Self {
        Self { from: Some(next), n_pages: self.n_pages + 1, ..self }
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(aws: &'a Arc<Aws>, bucket: &'a Bucket, options: &'a ListOptions<'a>) -> Self {
        let (sender, answers) = channel();
        let (todo, n_running, n_unknown_folders) = (Vec::new(), 0, 0);
        Self { aws, bucket, options, todo, n_running, n_unknown_folders, sender, answers }
    }

    /// Lists all below `prefix`. Gives whether there is anything, chosen or not.
    ///
    /// # Errors
    /// The first request fails, or one for a reason that all others will fail for; or the work was
    /// cancelled. Elsewhere a failure is named, and the rest is listed.
    pub(super) fn below(
        mut self,
        prefix: &str,
        failed: &dyn Fn(Failure) -> ErrorKind,
        found: &mut impl Finds,
    ) -> Result<bool> {
        self.push(prefix.to_owned(), found);
        let mut is_first = true;
        let mut is_anything = false;
        loop {
            while self.n_running < MAX_AT_ONCE
                && let Some(node) = self.todo.pop()
            {
                self.ask(node);
            }
            if self.n_running == 0 {
                return Ok(is_anything);
            }
            let (node, answer) = self.next()?;
            match answer {
                Ok(page) => {
                    is_anything |= !page.objects.is_empty() || !page.prefixes.is_empty();
                    self.page(node, page, found);
                }
                Err(failure) if is_first || is_fatal(&failure) => {
                    return Err(failed(failure).into());
                }
                Err(failure) => found.fault(&node.prefix, &failure),
            }
            is_first = false;
        }
    }

    /// The next page that comes.
    fn next(&mut self) -> Result<Answer> {
        loop {
            if self.options.cancelled.load(Relaxed) {
                return Err(ErrorKind::Interrupted.into());
            }
            match self.answers.recv_timeout(Duration::from_millis(100)) {
                Ok(answer) => {
                    self.n_running -= 1;
                    return Ok(answer);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // We hold a sender ourselves.
                Err(RecvTimeoutError::Disconnected) => return Err(ErrorKind::Interrupted.into()),
            }
        }
    }

    /// Sends the request for one page.
    fn ask(&mut self, node: Node) {
        let (bucket, sender) = (self.bucket.clone(), self.sender.clone());
        let versions = self.options.versions;
        self.n_running += 1;
        self.aws.spawn(async move {
            let delimiter = match node.way {
                Way::Folders(_) | Way::Split { .. } => Some("/"),
                Way::Keys { .. } => None,
            };
            let from = node.from.clone();
            let page = async {
                if versions {
                    bucket.versions_page(&node.prefix, delimiter, from).await
                } else {
                    bucket.page(&node.prefix, delimiter, from).await
                }
            };
            let page = AssertUnwindSafe(page).catch_unwind().await;
            let page =
                page.unwrap_or_else(|_panic| Err(Failure::other("the AWS SDK failed (a panic)")));
            // Where the walk ended early, nobody waits for it.
            drop(sender.send((node, page)));
        });
    }

    fn page(&mut self, mut node: Node, mut page: Page, found: &mut impl Finds) {
        let is_first_page = node.n_pages == 0;
        match &node.way {
            Way::Folders(At::Outside) if is_first_page && page.next.is_some() => {
                // A wide level: folders would cost a request each.
                self.todo.push(Node::new(node.prefix, Way::Keys { may_split: false }));
                return;
            }
            Way::Split { resume, .. }
                if is_first_page && (page.prefixes.is_empty() || page.next.is_some()) =>
            {
                let (way, from) = (Way::Keys { may_split: false }, Some(resume.clone()));
                self.todo.push(Node { way, from, ..node });
                return;
            }
            _ => {}
        }
        let next = page.next.take();
        let last_key = page.objects.last().map(|object| object.key.clone());
        if let Way::Split { last_key: done, .. } = &node.way {
            page.objects.retain(|object| object.key > *done);
        }
        let newer = node.newer.clone();
        if !page.objects.is_empty() {
            self.options.n_listed.fetch_add(page.objects.len() as u64, Relaxed);
            found.objects(page.objects, &mut node.newer);
        }
        // What is pushed last is asked for first.
        let from = self.todo.len();
        for prefix in page.prefixes {
            match &node.way {
                Way::Folders(_) => self.push(prefix, found),
                Way::Split { last_key, resume } => {
                    let mut child = Node::new(prefix, Way::Keys { may_split: true });
                    if last_key.starts_with(&child.prefix) {
                        child.from = Some(resume.clone());
                        child.newer.clone_from(&newer);
                    } else if child.prefix < *last_key {
                        continue;
                    }
                    self.todo.push(child);
                }
                Way::Keys { .. } => {}
            }
        }
        if let Some(next) = next {
            let last_key = last_key.filter(|key| self.may_split(&node, key));
            self.todo.push(match last_key {
                Some(last_key) => {
                    let resume = match next {
                        Next::Marker(..) => next,
                        Next::Token(_) | Next::After(_) => Next::After(last_key.clone()),
                    };
                    let newer = node.newer;
                    Node { newer, ..Node::new(node.prefix, Way::Split { last_key, resume }) }
                }
                None => node.at(next),
            });
        }
        if let Some(pushed) = self.todo.get_mut(from..) {
            pushed.reverse();
        }
    }

    /// Whether a folder that was listed up to `last_key` is split here.
    fn may_split(&self, node: &Node, last_key: &str) -> bool {
        // The keys of directory buckets come in no order.
        let is_ordered = !self.bucket.name().ends_with("--x-s3");
        let in_folder = last_key.strip_prefix(&*node.prefix).is_some_and(|rest| rest.contains('/'));
        matches!(node.way, Way::Keys { may_split: true })
            && node.n_pages + 1 >= PAGES_OF_ONE
            && is_ordered
            && in_folder
    }

    /// Enters a folder, as its path tells.
    fn push(&mut self, prefix: String, found: &mut impl Finds) {
        let way = match step(&prefix, self.options.filter) {
            Step::Leave => return,
            Step::Other(service) => return found.other(&prefix, service),
            Step::Keys => Way::Keys { may_split: true },
            Step::Folders(At::Outside) if self.n_unknown_folders >= MAX_UNKNOWN_FOLDERS => {
                Way::Keys { may_split: true }
            }
            Step::Folders(at) => {
                self.n_unknown_folders += u32::from(at == At::Outside);
                Way::Folders(at)
            }
        };
        self.todo.push(Node::new(prefix, way));
    }
}

/// Whether all further requests will fail likewise.
fn is_fatal(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::Credentials | FailureKind::Region(_) | FailureKind::NotFound
    )
}
