//! The server beside nginx: the same files with the same conditions and ranges, and the server behind it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::World;
use crate::support::http::{Reply, Request};

/// A running nginx, ended with the test.
pub(crate) struct Nginx {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its worker ends with it: it is told to stop first.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &id]).status();
        let _ = self.child.wait();
    }
}

impl Nginx {
    /// One that passes everything on.
    pub(crate) fn proxy(to: SocketAddr) -> Self {
        Self::start(&format!(
            "location / {{ proxy_pass http://{to}; proxy_http_version 1.1; proxy_set_header Host $host; \
             proxy_set_header Connection ''; proxy_request_buffering off; }}"
        ))
    }

    /// One that serves a folder.
    fn files(root: &Path) -> Self {
        Self::start(&format!("root {}; location / {{ }}", root.display()))
    }

    fn start(location: &str) -> Self {
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).is_file());
        let program = program.expect("nginx is missing: scripts/setup-tests.sh installs it");
        let folder = tempfile::tempdir().expect("a folder for the test");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let at = folder.path().display();
        let config = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log;\n\
             events {{ worker_connections 256; }}\n\
             http {{ access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/f; \
             uwsgi_temp_path {at}/u; scgi_temp_path {at}/s; default_type application/octet-stream; gzip off;\n\
             server {{ listen {address}; client_header_timeout 2s; client_body_timeout 2s; keepalive_timeout 2s; {location} }} }}\n"
        );
        std::fs::write(folder.path().join("nginx.conf"), config).expect("a file");
        let child = Command::new(program)
            .args(["-p", &at.to_string(), "-c", "nginx.conf", "-e", &format!("{at}/error.log")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let nginx = Self { child, address, _folder: folder };
        let deadline = std::time::Instant::now() + crate::support::client::PATIENCE;
        while std::net::TcpStream::connect(address).is_err() {
            assert!(std::time::Instant::now() < deadline, "nginx does not listen");
            std::thread::yield_now();
        }
        nginx
    }
}

/// What is compared: status, range, length, bytes.
fn shape(reply: &Reply) -> (u16, Option<String>, Option<String>, Vec<u8>) {
    let header = |name: &str| reply.header(name).map(str::to_owned);
    // Error pages are each server's own.
    let body = if reply.status < 300 { reply.body.clone() } else { Vec::new() };
    let length = if reply.status < 300 { header("content-length") } else { None };
    (reply.status, header("content-range"), length, body)
}

#[tokio::test]
async fn conditions_and_ranges_are_answered_as_nginx_does() {
    let world = World::new().await;
    let nginx = Nginx::files(&world.dist().join("public"));
    let files = [
        "/assets/images/dot-00112233445566ff.png",
        "/assets/app-0123456789abcdef.js",
        "/assets/big-aaaaaaaaaaaaaaaa.bin",
    ];
    // `TAG` stands for the tag that each of the two gave.
    let cases: [&[(&str, &str)]; 33] = [
        &[],
        &[("Range", "bytes=0-0")],
        &[("Range", "bytes=0-4")],
        &[("Range", "bytes=5-")],
        &[("Range", "bytes=-3")],
        &[("Range", "bytes=-99999999")],
        &[("Range", "bytes=3-99999999")],
        &[("Range", "bytes=99999999-")],
        &[("Range", "bytes=99999999-999999999")],
        &[("Range", "bytes=-")],
        &[("Range", "bytes=a-b")],
        &[("Range", "lines=0-1")],
        &[("Range", "bytes")],
        &[("Range", "")],
        &[("If-None-Match", "TAG")],
        &[("If-None-Match", "W/TAG")],
        &[("If-None-Match", "\"other\"")],
        &[("If-None-Match", "\"other\", TAG")],
        &[("If-None-Match", "*")],
        &[("If-None-Match", "")],
        &[("If-Match", "TAG")],
        &[("If-Match", "\"other\"")],
        &[("If-Match", "\"other\", TAG")],
        &[("If-Match", "*")],
        &[("If-Range", "TAG"), ("Range", "bytes=0-4")],
        &[("If-Range", "\"other\""), ("Range", "bytes=0-4")],
        &[("If-None-Match", "TAG"), ("Range", "bytes=0-4")],
        &[("If-None-Match", "\"other\""), ("Range", "bytes=0-4")],
        &[("If-Match", "TAG"), ("Range", "bytes=0-4")],
        &[("If-Match", "\"other\""), ("Range", "bytes=0-4")],
        &[("If-Match", "TAG"), ("If-None-Match", "TAG")],
        &[("If-Match", "\"other\""), ("If-None-Match", "TAG")],
        &[("Accept-Encoding", "identity"), ("Range", "bytes=1-1")],
    ];
    for file in files {
        for method in ["GET", "HEAD"] {
            let mut tags = Vec::new();
            for address in [world.address, nginx.address] {
                let reply = Request::get(file).send(address).await;
                tags.push(reply.header("etag").expect("a tag").to_owned());
            }
            for headers in cases {
                let mut shapes = Vec::new();
                for (address, tag) in [world.address, nginx.address].into_iter().zip(&tags) {
                    let request = headers.iter().fold(Request::new(method, file), |request, (name, value)| {
                        request.header(name, &value.replace("TAG", tag))
                    });
                    shapes.push(shape(&request.send(address).await));
                }
                let [ours, theirs] = &shapes[..] else { panic!("two answers") };
                assert!(
                    (ours.0, &ours.1, &ours.2) == (theirs.0, &theirs.1, &theirs.2) && ours.3 == theirs.3,
                    "{method} {file} {headers:?}: {:?}, nginx {:?}",
                    (ours.0, &ours.1, &ours.2),
                    (theirs.0, &theirs.1, &theirs.2)
                );
            }
        }
    }
}
