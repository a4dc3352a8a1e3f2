//! Tokens of an auth service.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::support::{Devnet, MANUAL, call};

/// A service that knows two tokens. Counts what it is asked; ends with the process.
fn service() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (addr, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let count = count.clone();
            thread::spawn(move || serve(socket.unwrap(), &count));
        }
    });
    (addr, asked)
}

fn serve(mut socket: TcpStream, count: &AtomicUsize) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"}") {
        if socket.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap();
    assert!(request.starts_with("POST /verify "), "{request}");
    assert!(request.to_lowercase().contains("authorization: bearer service-token"), "{request}");
    count.fetch_add(1, Ordering::SeqCst);
    let question: Value = serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let (status, body) = match question["token"].as_str().unwrap() {
        "alice.admin" => ("200 OK", json!({ "name": "alice", "perm": "admin", "ext": "" })),
        "bob.read" => ("200 OK", json!({ "name": "bob", "perm": "read", "ext": "" })),
        "broken" => ("500 Internal Server Error", json!({})),
        _ => ("400 Bad Request", json!({ "error": "get token: record not found" })),
    };
    let body = body.to_string();
    let length = body.len();
    let _ = write!(
        socket,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}

#[test]
fn tokens_that_are_not_ours_are_asked_for() {
    let (addr, asked) = service();
    let tmp = tempfile::tempdir().unwrap();
    let file = tmp.path().join("service-token");
    std::fs::write(&file, "service-token\n").unwrap();
    let (url, file) = (format!("--auth-url=http://{addr}/"), format!("--auth-token-file={}", file.display()));
    let devnet = Devnet::start(&[&MANUAL[..], &[url.as_str(), file.as_str()]].concat());
    let venus = devnet.address("venus");
    let ask = |token: &str, method: &str| call(venus, Some(token), method, &json!([]));
    assert_eq!(ask(&devnet.token(), "ChainHead").status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 0, "our own tokens are nobody's business");
    assert_eq!(ask("alice.admin", "Devnet.Status").status, 200);
    assert_eq!(ask("bob.read", "ChainHead").status, 200);
    let refused: Value = serde_json::from_str(&ask("bob.read", "Devnet.Status").body).unwrap();
    assert!(refused["error"]["message"].as_str().unwrap().contains("need 'admin'"), "{refused}");
    assert_eq!(ask("mallory", "ChainHead").status, 401);
    assert_eq!(ask("broken", "ChainHead").status, 503);
    assert!(asked.load(Ordering::SeqCst) >= 4);
}
