//! What of a header goes on to the next hop.

use std::net::IpAddr;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

/// Who asked, and who asked for them.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The host that was asked for.
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// The proxies of ours that a request came through.
pub(super) const VIA: HeaderName = HeaderName::from_static("x-venus-via");
/// What belongs to one connection (RFC 9110, 7.6.1), whether `Connection` names it or not.
const HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];
/// What the two ends of a WebSocket agree on beyond its frames. Nothing is agreed on through a proxy: Go clients that
/// offer compression and servers that take it would talk past what stands between them.
const EXTENSIONS: HeaderName = HeaderName::from_static("sec-websocket-extensions");

/// Takes away what belongs to this connection alone.
pub(super) fn strip_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP) {
        headers.remove(name);
    }
    headers.remove(EXTENSIONS);
}

/// The header of the request that goes on: the caller's, without what belongs to its connection, and with who asked.
pub(super) fn onward(
    mut headers: HeaderMap,
    from: Option<IpAddr>,
    websocket: bool,
    proxy: &str,
) -> HeaderMap {
    strip_hop(&mut headers);
    // The next hop's own: how much is sent is what the body says when it is passed on.
    headers.remove(CONTENT_LENGTH);
    if let Some(host) = headers.remove(HOST) {
        headers.insert(FORWARDED_HOST, host);
    }
    if let Some(ip) = from {
        append(&mut headers, &FORWARDED_FOR, &ip.to_canonical().to_string());
    }
    append(&mut headers, &VIA, proxy);
    if websocket {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    headers
}

/// Adds to a list, which may stand in several lines.
fn append(headers: &mut HeaderMap, name: &HeaderName, text: &str) {
    let there = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let all: Vec<&str> = there.chain([text]).collect();
    if let Ok(value) = HeaderValue::from_str(&all.join(", ")) {
        headers.insert(name, value);
    }
}

/// Whether the request came through this proxy before.
pub(super) fn came_through(headers: &HeaderMap, proxy: &str) -> bool {
    let values = headers.get_all(VIA).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|name| name.trim() == proxy)
}

/// Whether a WebSocket is asked for.
pub(super) fn is_websocket(headers: &HeaderMap) -> bool {
    let says = |name: HeaderName, word: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    says(CONNECTION, "upgrade") && says(UPGRADE, "websocket")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(line) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn what_goes_on() {
        let asked = headers(&[
            ("Host", "gateway:1"),
            ("Authorization", "Bearer x"),
            ("Connection", "keep-alive, X-Mine"),
            ("X-Mine", "1"),
            ("Keep-Alive", "5"),
            ("TE", "trailers"),
            ("Transfer-Encoding", "chunked"),
            ("Proxy-Authorization", "secret"),
            ("X-Forwarded-For", "1.2.3.4"),
            ("X-Forwarded-For", "5.6.7.8"),
        ]);
        let onward = onward(asked, Some("::ffff:9.9.9.9".parse().unwrap()), false, "p");
        let expected = headers(&[
            ("Authorization", "Bearer x"),
            ("X-Forwarded-Host", "gateway:1"),
            ("X-Forwarded-For", "1.2.3.4, 5.6.7.8, 9.9.9.9"),
            ("X-Venus-Via", "p"),
        ]);
        assert_eq!(onward, expected);
        assert!(came_through(&onward, "p") && !came_through(&onward, "q"));
    }

    #[test]
    fn sockets_offer_no_extension() {
        let asked = headers(&[
            ("Connection", "keep-alive, Upgrade"),
            ("Upgrade", "WebSocket"),
            ("Sec-WebSocket-Key", "k"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Extensions", "permessage-deflate"),
        ]);
        assert!(is_websocket(&asked));
        let onward = onward(asked, None, true, "p");
        assert!(!onward.contains_key(EXTENSIONS) && onward.contains_key("sec-websocket-key"));
        assert!(is_websocket(&onward));
        assert!(!is_websocket(&headers(&[("Connection", "close"), ("Upgrade", "websocket")])));
    }
}
