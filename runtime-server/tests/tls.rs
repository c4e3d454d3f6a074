//! TLS: which certificate is shown to whom, its exchange, its absence, what changes for requests, and HTTP/2.

use std::net::SocketAddr;
use std::path::Path;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use ssbuild_server::config::{Config, LogFormat};
use ssbuild_server::log::Log;
use ssbuild_server::tls::{CertificatePlaces, Reload, Tls};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::process::{Process, app};
use crate::support::World;
use crate::support::client::{Client, PATIENCE};
use crate::support::dist::Dist;
use crate::support::http::Request;
use crate::support::secure::{connect, shown, write_certificate, write_signed};

async fn world(folder: TempDir, change: impl FnOnce(&mut Config)) -> World {
    World::within(folder, &Dist::new(), |config| {
        config.https.enabled = true;
        change(config);
    })
    .await
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

fn secure(world: &World) -> SocketAddr {
    world.tls_address.expect("TLS is configured")
}

/// A tab over TLS.
async fn tab(address: SocketAddr, host: &str) -> Client {
    let stream = connect(address, host, &["http/1.1"]).await.expect("a handshake");
    let at = format!("{host}:{}", address.port());
    let mut request = format!("wss://{at}/_ss/socket").into_client_request().expect("a request");
    request.headers_mut().insert("Origin", format!("https://{at}").parse().expect("a header"));
    request.headers_mut().insert("Sec-WebSocket-Protocol", "ss.1".parse().expect("a header"));
    let mut client = Client::handshake_on(stream, request).await.expect("the handshake is accepted");
    client.hello(json!(null)).await;
    client.welcome().await;
    client
}

#[tokio::test]
async fn each_host_is_shown_its_own_certificate() {
    let folder = folder();
    let certificates = folder.path().join("ssl_certs");
    let site = write_certificate(&certificates, "site", &["www.app.test"]);
    let star = write_certificate(&certificates, "a-star", &["*.stars.test", "stars.test"]);
    let signed = write_signed(&certificates, "shop", &["shop.test"]);
    let named = write_certificate(&certificates, "by-file-name.test", &["other.test"]);
    let world = world(folder, |_| {}).await;
    let cases = [
        ("www.app.test", vec![site.clone()]),
        ("WWW.App.Test", vec![site.clone()]),
        ("one.stars.test", vec![star.clone()]),
        ("stars.test", vec![star]),
        ("shop.test", signed),
        ("by-file-name.test", vec![named]),
        // What none is for gets the first, as does a client that names nobody.
        ("two.levels.stars.test", vec![site.clone()]),
        ("unknown.test", vec![site.clone()]),
        ("127.0.0.1", vec![site]),
    ];
    for (host, expected) in cases {
        assert!(shown(secure(&world), host).await == expected, "{host}");
    }
    world.log.has("certificates: site, a-star, by-file-name.test, shop").await;
}

#[tokio::test]
async fn certificates_are_exchanged_under_open_connections() {
    let folder = folder();
    let certificates = folder.path().join("ssl_certs");
    write_certificate(&certificates, "site", &["app.test"]);
    let mut world = world(folder, |_| {}).await;
    let (address, mut tls) = (secure(&world), world.tls.take().expect("TLS is configured"));
    let mut client = tab(address, "app.test").await;
    assert_eq!(tls.reload().expect("they are whole"), Reload::Same);
    let next = write_certificate(&certificates, "site", &["app.test"]);
    assert_eq!(tls.reload().expect("they are whole"), Reload::Changed("site".to_owned()));
    assert!(shown(address, "app.test").await == std::slice::from_ref(&next));
    assert_eq!(client.call("app/echo", json!([1])).await, Ok(json!([1])), "who is there stays");
    // A key of another certificate, half a certificate, none at all: those before stay.
    let other = certificates.join("other");
    write_certificate(&other, "site", &["app.test"]);
    std::fs::copy(other.join("site.key.pem"), certificates.join("site.key.pem")).expect("a key");
    let error = tls.reload().expect_err("they do not fit").to_string();
    assert!(error.ends_with("site.key.pem: this key is not that of the certificate"), "{error}");
    std::fs::write(certificates.join("site.cert.pem"), "-----BEGIN CERTIFICATE-----\nMII").expect("half a file");
    tls.reload().expect_err("it is not whole");
    std::fs::remove_file(certificates.join("site.cert.pem")).expect("it is there");
    tls.reload().expect_err("it is gone");
    assert_eq!(shown(address, "app.test").await, [next]);
    assert_eq!(client.call("app/echo", json!([2])).await, Ok(json!([2])));
}

fn start(folder: &Path, change: impl FnOnce(&mut Config)) -> Result<Tls, String> {
    let mut config = Config::default();
    change(&mut config);
    let clock = std::sync::Arc::new(ssbuild_server::clock::SystemClock::new());
    let log = Log::new(0, LogFormat::Text, clock, Box::new(std::io::sink()));
    let places = CertificatePlaces { folder: folder.join("ssl_certs"), state_dir: folder.join("state") };
    Tls::start(&config.https, places, &log).map_err(|error| error.to_string())
}

#[test]
fn what_is_wrong_with_certificates_is_said_before_a_port_is_opened() {
    let folder = folder();
    let certificates = folder.path().join("ssl_certs");
    write_certificate(&certificates, "shop", &["shop.test"]);
    let refused = |change: fn(&mut Config)| start(folder.path(), change).err().expect("it is refused");
    let missing = refused(|_| {});
    assert!(missing.starts_with("there is no `site.cert.pem` in ") && missing.ends_with("only shop"), "{missing}");
    assert!(start(folder.path(), |config| config.https.cert_name = "shop".to_owned()).is_ok());
    for (file, text, expected) in [
        ("shop.cert.pem", "", "there is no certificate in it"),
        ("shop.key.pem", "hello", "this is no private key"),
        ("shop.ca.pem", "hello", "there is no certificate in it"),
    ] {
        let path = certificates.join(file);
        let before = std::fs::read(&path).ok();
        std::fs::write(&path, text).expect("a file");
        let error = refused(|config| config.https.cert_name = "shop".to_owned());
        assert!(error.contains(file) && error.contains(expected), "{error}");
        match before {
            Some(before) => std::fs::write(&path, before).expect("a file"),
            None => std::fs::remove_file(&path).expect("a file"),
        }
    }
    std::fs::remove_file(certificates.join("shop.key.pem")).expect("it is there");
    let error = refused(|config| config.https.cert_name = "shop".to_owned());
    assert!(error.contains("shop.key.pem"), "{error}");
}

#[tokio::test]
async fn without_certificates_one_is_made_and_kept() {
    let mut world = world(folder(), |config| config.https.domain = Some("app.test".to_owned())).await;
    world.log.has("self-signed.cert.pem is used, which browsers warn of").await;
    let made = shown(secure(&world), "app.test").await;
    let reply = Request::get("/").send_secure(secure(&world), "app.test").await;
    assert_eq!((reply.status, reply.header("strict-transport-security")), (200, None), "nobody could get past it");
    let key = world.state_dir().join("self-signed.key.pem");
    let mode = std::os::unix::fs::PermissionsExt::mode(&key.metadata().expect("it is kept").permissions());
    assert_eq!(mode & 0o777, 0o600);
    world.restart().await;
    assert_eq!(shown(secure(&world), "app.test").await, made);
}

#[tokio::test]
async fn the_plain_port_sends_browsers_to_tls() {
    let folder = folder();
    write_certificate(&folder.path().join("ssl_certs"), "site", &["app.test"]);
    let world = world(folder, |config| config.https.domain = Some("app.test".to_owned())).await;
    let port = secure(&world).port();
    let reply = world.get("/rooms?one=1").await;
    assert_eq!(reply.status, 302);
    assert_eq!(reply.header("location"), Some(format!("https://app.test:{port}/rooms?one=1").as_str()));
    assert_eq!(world.send(Request::post("/_ss/session", "application/json", "{}")).await.status, 307);
    assert_eq!(world.get("/api/app/echo?1").await.text(), "[\"1\"]");
    let reply = Request::get("/").send_secure(secure(&world), "app.test").await;
    assert_eq!((reply.status, reply.header("strict-transport-security")), (200, Some("max-age=31536000")));
    let reply = Request::get("/a").send_secure(secure(&world), "elsewhere.test").await;
    assert_eq!(reply.status, 302);
    assert_eq!(reply.header("location"), Some(format!("https://app.test:{port}/a").as_str()));
    let Err(refused) = Client::handshake(world.address, Client::request(world.address, None)).await else {
        panic!("a socket is not opened where browsers are sent away");
    };
    assert_eq!(refused.0, 302);
}

#[tokio::test]
async fn challenges_of_an_authority_are_answered_on_the_plain_port() {
    let folder = folder();
    let webroot = folder.path().join("webroot");
    let challenges = webroot.join(".well-known/acme-challenge");
    std::fs::create_dir_all(&challenges).expect("a folder");
    std::fs::write(challenges.join("to_ken-1"), "to_ken-1.thumb").expect("a file");
    std::fs::write(webroot.join("secret"), "secret").expect("a file");
    let world = world(folder, |config| config.https.acme_webroot = Some(webroot.display().to_string())).await;
    let reply = world.get("/.well-known/acme-challenge/to_ken-1").await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "to_ken-1.thumb"));
    for path in ["missing", "../../secret", "..%2f..%2fsecret", ""] {
        assert_eq!(world.get(&format!("/.well-known/acme-challenge/{path}")).await.status, 302, "{path}");
    }
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let folder = folder();
    write_certificate(&folder.path().join("ssl_certs"), "site", &["app.test"]);
    let world = world(folder, |_| {}).await;
    let client = tab(secure(&world), "app.test").await;
    let cookie = client.set_cookie.as_deref().expect("a new session");
    assert!(
        cookie.starts_with("__Host-ss_chat=") && cookie.contains("; Secure") && cookie.contains("; HttpOnly"),
        "{cookie}"
    );
    let address = secure(&world);
    let origin = |origin: &str| {
        Request::post("/api/app/echo", "application/json", "[1]")
            .header("Origin", &origin.replace("PORT", &address.port().to_string()))
    };
    assert_eq!(origin("https://app.test:PORT").send_secure(address, "app.test").await.status, 200);
    assert_eq!(origin("http://app.test:PORT").send_secure(address, "app.test").await.status, 403);
}

#[tokio::test]
async fn http_2_is_spoken_with_those_who_offer_it() {
    let folder = folder();
    write_certificate(&folder.path().join("ssl_certs"), "site", &["app.test"]);
    let mut world = world(folder, |_| {}).await;
    let address = secure(&world);
    let stream = connect(address, "app.test", &["h2", "http/1.1"]).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake::<_, Full<Bytes>>(TokioIo::new(stream))
        .await
        .expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let at = |path: &str| format!("https://app.test:{}{path}", address.port());
    let request = |path: &str| hyper::Request::get(at(path)).body(Full::default()).expect("a request");
    let mut answers = Vec::new();
    for path in ["/", "/assets/app-0123456789abcdef.js", "/api/app/echo?1", "/nothing.here", "/_ss/socket"] {
        answers.push(sender.send_request(request(path)));
    }
    let mut statuses = Vec::new();
    for answer in answers {
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.version(), hyper::Version::HTTP_2);
        statuses.push(answer.status().as_u16());
        answer.into_body().collect().await.expect("a body");
    }
    assert_eq!(statuses, [200, 200, 200, 404, 403]);
    let post = hyper::Request::post(at("/api/app/echo"))
        .header("content-type", "application/json")
        .body(Full::from("[1, {\"a\": 2}]"))
        .expect("a request");
    let answer = sender.send_request(post).await.expect("an answer");
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    assert_eq!(&body[..], b"[1,{\"a\":2}]");
    world.ask_to_stop();
    connection.await.expect("no panic").expect("the server says goodbye");
    world.stopped().await;
}

#[tokio::test]
async fn who_does_not_shake_hands_is_sent_away() {
    let folder = folder();
    write_certificate(&folder.path().join("ssl_certs"), "site", &["app.test"]);
    let world = world(folder, |config| config.limits.handshake_ms = 50).await;
    let mut silent = tokio::net::TcpStream::connect(secure(&world)).await.expect("the server listens");
    let read = tokio::time::timeout(PATIENCE, silent.read(&mut [0; 16])).await.expect("it is closed");
    assert!(matches!(read, Ok(0) | Err(_)));
    // One that speaks HTTP at the port for TLS hears no HTTP.
    let mut stream = tokio::net::TcpStream::connect(secure(&world)).await.expect("the server listens");
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("it is sent");
    let mut answer = Vec::new();
    // How it ends is up to the system.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it is closed");
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn the_program_serves_both_ports_and_exchanges_certificates_at_a_signal() {
    let folder = app();
    let certificates = folder.path().join("config/ssl_certs");
    write_certificate(&certificates, "site", &["localhost"]);
    let variables = [("SS__HTTPS__ENABLED", "true"), ("SS__HTTPS__PORT", "0")];
    let (process, log) = Process::start_logged(folder.path(), &variables);
    assert!(process.banner.starts_with("chat on https://localhost:"), "{}", process.banner);
    let mut client = tab(process.address, "localhost").await;
    let next = write_certificate(&certificates, "site", &["localhost"]);
    process.signal("HUP");
    log.has("new certificates: site").await;
    assert_eq!(shown(process.address, "localhost").await, [next]);
    assert_eq!(client.call("app/whoami", json!([])).await, Ok(json!(null)));
}
