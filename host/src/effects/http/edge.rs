//! What stands in the place of the network where a skill is tested.

use async_trait::async_trait;
use postern_domain::CallFailure;
use reqwest::{Request, RequestBuilder, Response};

use super::lost::no_answer;

/// Answers requests in the place of servers. It gets them as they would go out:
/// checked, permitted, with their secrets.
#[async_trait]
pub(crate) trait Edge: Send + Sync {
    /// The answer; none if nobody answers.
    async fn answer(&self, request: Request) -> Option<Response>;
}

/// Gives a request to the edge.
pub(super) async fn carried(
    edge: &dyn Edge,
    request: RequestBuilder,
    repeatable: bool,
) -> Result<Result<Response, reqwest::Error>, CallFailure> {
    match request.build() {
        Ok(request) => edge.answer(request).await.map(Ok).ok_or_else(|| no_answer(repeatable)),
        Err(error) => Ok(Err(error)),
    }
}
