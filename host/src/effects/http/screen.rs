//! Looks for secrets without holding up the host's other work.

use std::sync::Arc;

use postern_domain::HttpRequest;
use tokio::{
    sync::Semaphore,
    task,
    time::{Instant, timeout_at},
};

use super::secrets::Scanner;

/// Texts up to this size are read at once, in less than a millisecond.
const SMALL_BYTES: usize = 16 * 1024;
/// Larger ones that are read at the same moment, for all skills together.
const AT_ONCE: usize = 2;

/// A scanner that reads large texts on threads apart, a few at a time.
pub(super) struct Screen {
    scanner: Arc<Scanner>,
    places: Arc<Semaphore>,
}

impl Screen {
    pub(super) fn new(scanner: Scanner) -> Self {
        Self { scanner: Arc::new(scanner), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    pub(super) fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// Does some work on a text of this size; nothing if that takes too long.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        bytes: usize,
        until: Instant,
        work: impl FnOnce(&Scanner) -> T + Send + 'static,
    ) -> Option<T> {
        if bytes <= SMALL_BYTES {
            return Some(work(&self.scanner));
        }
        let (scanner, places) = (Arc::clone(&self.scanner), Arc::clone(&self.places));
        let apart = async move {
            let place = places.acquire_owned().await.ok()?;
            // Nobody can stop this once it runs, so it keeps its place to its end.
            let work = task::spawn_blocking(move || {
                let done = work(&scanner);
                drop(place);
                done
            });
            work.await.ok()
        };
        timeout_at(until, apart).await.ok().flatten()
    }
}

/// Whether a secret's value stands in a request as a skill wrote it.
pub(super) fn holds_secret(scanner: &Scanner, request: &HttpRequest) -> bool {
    scanner.finds(request.url.as_bytes())
        || scanner.finds(&request.body)
        || request
            .headers
            .iter()
            .any(|(name, value)| scanner.finds(name.as_bytes()) || scanner.finds(value.as_bytes()))
}

/// The request with every secret masked, if it holds one. In the place of a URL
/// with a secret stands `root`.
pub(super) fn masked(
    scanner: &Scanner,
    mut request: HttpRequest,
    root: &str,
) -> Option<HttpRequest> {
    if !holds_secret(scanner, &request) {
        return None;
    }
    let text =
        |text: String| String::from_utf8_lossy(&scanner.mask(text.into_bytes())).into_owned();
    if scanner.finds(request.url.as_bytes()) {
        root.clone_into(&mut request.url);
    }
    let headers = request.headers.into_iter();
    request.headers = headers.map(|(name, value)| (text(name), text(value))).collect();
    request.body = scanner.mask(request.body);
    Some(request)
}

/// Bytes of a request that are looked at.
pub(super) fn size(request: &HttpRequest) -> usize {
    let headers = request.headers.iter().map(|(name, value)| name.len() + value.len());
    request.url.len() + request.body.len() + headers.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[tokio::test]
    async fn large_texts_are_read_a_few_at_a_time_and_nobody_waits_for_ever() {
        let screen = Screen::new(Scanner::new([]).unwrap());
        let large = SMALL_BYTES + 1;
        let at_once = || Instant::now() + Duration::from_millis(20);
        let (let_go, wait): (Vec<_>, Vec<_>) = (0..AT_ONCE).map(|_| mpsc::channel::<()>()).unzip();
        for wait in wait {
            let late = screen.run(large, at_once(), move |_| wait.recv().is_ok()).await;
            assert_eq!(late, None, "it was waited for");
        }
        assert_eq!(screen.run(large, at_once(), |_| ()).await, None, "there was one more place");
        assert_eq!(screen.run(SMALL_BYTES, at_once(), |_| ()).await, Some(()));
        drop(let_go);
        let later = Instant::now() + Duration::from_secs(60);
        assert_eq!(screen.run(large, later, |_| ()).await, Some(()), "the places came back");
    }
}
