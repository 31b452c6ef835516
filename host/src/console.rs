//! Operator page.
use std::sync::Arc;
use crate::app::App;
/// Routes.
pub fn router(_app: Arc<App>) -> axum::Router { axum::Router::new() }
