//! A microservice: HTTP on loopback, its address on standard output.

use axum::{Json, Router, http::StatusCode, routing::post};
use postern_peers::{Answer, Arguments, ORDER, order_status};

async fn answer(Json(arguments): Json<Arguments>) -> Result<Json<Answer>, StatusCode> {
    if arguments.order_id.is_empty() {
        return Err(StatusCode::BAD_REQUEST);
    }
    order_status(ORDER).map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/order_status", post(answer))).await
}
