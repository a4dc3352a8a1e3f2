//! What everybody may ask.

use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::Shared;
use super::answer::{JSON, respond};
use crate::service::{Actor, LOCAL_TOKEN};

const HEALTH: &str = "application/json; charset=utf-8";

pub(super) async fn answer(shared: &Shared, path: &str) -> Option<Response> {
    match path {
        "/version" => {
            let body = json!({ "Version": shared.config.version }).to_string();
            Some(respond(StatusCode::OK, JSON, body))
        }
        "/healthcheck" | "/livez" => Some(respond(StatusCode::OK, HEALTH, "{\"status\":\"OK\"}\n".into())),
        "/readyz" => Some(ready(shared).await),
        _ => None,
    }
}

/// Whether the store answers. Why not is for the log, not for everybody.
async fn ready(shared: &Shared) -> Response {
    match shared.service.has_user(&Actor::system(), LOCAL_TOKEN).await {
        Ok(_) => respond(StatusCode::OK, HEALTH, "{\"status\":\"OK\"}\n".into()),
        Err(error) => {
            tracing::error!(%error, "the store does not answer");
            let body = "{\"status\":\"Service Unavailable\",\"errors\":{\"store\":\"does not answer\"}}\n";
            respond(StatusCode::SERVICE_UNAVAILABLE, HEALTH, body.into())
        }
    }
}
