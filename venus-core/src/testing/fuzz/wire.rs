//! Frames of the session, and where an API is.

use jsonrpsee::types::ErrorObjectOwned;
use serde_json::value::RawValue;

use super::refused;
use crate::error::Classify;
use crate::rpc::{ApiInfo, Frame, FrameId, Id, RpcError};

pub fn rpc_frame(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    if let Some(id) = Id::parse(text) {
        same_id(&id);
    }
    match Frame::decode(text) {
        Ok((frame, _)) => {
            frame_holds(&frame, text.len());
            true
        }
        Err(e) => refused(&e, |text| text.starts_with("malformed frame: ")),
    }
}

fn frame_holds(frame: &Frame<'_>, len: usize) {
    let raw = |value: Option<&RawValue>| value.map_or(0, |value| value.get().len());
    let held = frame.method.len() + raw(frame.params) + raw(frame.result);
    assert!(held <= len, "{held} bytes come out of {len}");
    if let FrameId::Id(id) = &frame.id {
        same_id(id);
    }
    if let Some(error) = &frame.error {
        travels(error);
    }
}

fn same_id(id: &Id) {
    assert_eq!(Id::parse(&id.to_string()).as_ref(), Some(id), "an id is echoed as another");
}

/// Errors pass through jsonrpsee's error object, which has fewer members and a narrower code.
fn travels(error: &RpcError) {
    let raw = |value: &Option<Box<RawValue>>| value.as_deref().map(|value| value.get().to_owned());
    let back = RpcError::from(&ErrorObjectOwned::from(error.clone()));
    assert_eq!(back.message, error.message);
    assert_eq!(raw(&back.meta), raw(&error.meta));
    assert_eq!(raw(&back.data), raw(&error.data));
    assert_eq!(back.kind(), error.kind());
    assert!(i32::try_from(error.code).is_err() || back.code == error.code);
}

pub fn api_info(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    if let Ok(list) = ApiInfo::parse_list(text) {
        let held: usize = list.iter().map(|info| info.address.len()).sum();
        assert!(held <= text.len());
    }
    match text.parse::<ApiInfo>() {
        Ok(info) => {
            let urls = [info.dial_url("v0"), info.endpoint_url(1), info.lotus_url("v1"), info.rest_url()];
            for url in urls {
                match url {
                    Ok(url) => dials(&url, text.len()),
                    Err(e) => _ = refused(&e, |text| text.starts_with("api info: ")),
                }
            }
            true
        }
        Err(e) => refused(&e, |text| text.starts_with("api info: ")),
    }
}

fn dials(url: &str, len: usize) {
    assert!(url.contains("://") && !url.bytes().any(|b| b <= b' '), "{url:?}");
    assert!(url.len() <= 4 * len + 64, "a URL of {} bytes out of {len}", url.len());
}
