//! The server beside nginx: the same files with the same conditions and ranges, and the server behind it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::World;
use crate::support::dist::Dist;
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
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    status: u16,
    range: Option<String>,
    length: Option<String>,
    /// Of an answer with several parts: the range and the bytes of each.
    parts: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Shape {
    fn of(reply: &Reply) -> Self {
        let header = |name: &str| reply.header(name).map(str::to_owned);
        let (status, range) = (reply.status, header("content-range"));
        // Error pages are each server's own.
        if status >= 300 {
            return Self { status, range, length: None, parts: Vec::new(), body: Vec::new() };
        }
        let kind = reply.header("content-type").unwrap_or_default();
        // A boundary is each server's own as well, and so is the length that it adds to.
        match kind.strip_prefix("multipart/byteranges; boundary=") {
            Some(boundary) => {
                Self { status, range, length: None, parts: parts(&reply.body, boundary), body: Vec::new() }
            }
            None => {
                Self { status, range, length: header("content-length"), parts: Vec::new(), body: reply.body.clone() }
            }
        }
    }
}

fn parts(body: &[u8], boundary: &str) -> Vec<(String, Vec<u8>)> {
    let mark = format!("\r\n--{boundary}");
    let mut ends: Vec<usize> = (0..body.len()).filter(|at| body[*at..].starts_with(mark.as_bytes())).collect();
    // Without a body there is nothing to take apart.
    let Some(last) = ends.pop() else { return Vec::new() };
    assert_eq!(&body[last + mark.len()..], b"--\r\n");
    let starts = ends.iter().map(|start| start + mark.len());
    let parts = starts.zip(ends.iter().skip(1).copied().chain([last])).map(|(start, end)| &body[start..end]);
    parts
        .map(|part| {
            let at = part.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
            let head = String::from_utf8_lossy(&part[..at]).to_ascii_lowercase();
            let range = head.lines().find_map(|line| line.strip_prefix("content-range: ")).expect("its range");
            (range.to_owned(), part[at + 4..].to_vec())
        })
        .collect()
}

/// Names and values.
type Headers = &'static [(&'static str, &'static str)];

const EMPTY: &str = "/assets/empty-0000000000000000.bin";

/// Conditions and ranges that both answer alike; `TAG` stands for the tag that each of the two gave.
const ALIKE: [Headers; 50] = [
    &[],
    &[("Range", "bytes=0-0")],
    &[("Range", "bytes=0-4")],
    &[("Range", "bytes=5-")],
    &[("Range", "bytes=-3")],
    &[("Range", "bytes=-0")],
    &[("Range", "bytes=-99999999")],
    &[("Range", "bytes=3-99999999")],
    &[("Range", "bytes=99999999-")],
    &[("Range", "bytes=99999999-999999999")],
    &[("Range", "bytes=3-1")],
    &[("Range", "bytes=-")],
    &[("Range", "bytes=a-b")],
    &[("Range", "bytes= 1 - 2 ")],
    &[("Range", "lines=0-1")],
    &[("Range", "bytes")],
    &[("Range", "bytes =0-1")],
    &[("Range", "")],
    &[("Range", "bytes=0-1,4-5")],
    &[("Range", "bytes=-1,0-0")],
    &[("Range", "bytes=4-5, 0-1 ,2-2")],
    &[("Range", "bytes=0-1,1-2")],
    &[("Range", "bytes=0-0,99999999-")],
    &[("Range", "bytes=99999998-,99999999-")],
    &[("Range", "bytes=0-,0-")],
    &[("Range", "bytes=0-1,x")],
    &[("Range", "bytes=0-1,")],
    &[("Range", "bytes=0-1,4-5"), ("If-Range", "TAG")],
    &[("Range", "bytes=0-1,4-5"), ("If-Range", "\"other\"")],
    &[("If-None-Match", "TAG")],
    &[("If-None-Match", "W/TAG")],
    &[("If-None-Match", "\"other\"")],
    &[("If-None-Match", "\"other\", TAG")],
    &[("If-None-Match", "*")],
    &[("If-None-Match", "")],
    &[("If-Match", "TAG")],
    &[("If-Match", "\"other\"")],
    &[("If-Match", "\"other\", TAG")],
    &[("If-Match", "W/TAG")],
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
    &[("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")],
];

/// What the two answer differently, ours first; `DATE` stands for the time of nginx's file, `MANY` for 33 ranges. The
/// book's page on files gives the reasons, in the same order.
const APART: [(Headers, u16, u16); 4] = [
    (&[("If-Modified-Since", "DATE")], 200, 304),
    (&[("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")], 200, 412),
    (&[("If-Range", "DATE"), ("Range", "bytes=0-1")], 200, 206),
    (&[("Range", "bytes=MANY")], 200, 206),
];

#[tokio::test]
async fn conditions_and_ranges_are_answered_as_nginx_does() {
    let world = World::of(&Dist::new().file(&format!("public{EMPTY}"), b""), |_| {}).await;
    let nginx = Nginx::files(&world.dist().join("public"));
    let files = [
        "/assets/images/dot-00112233445566ff.png",
        "/assets/app-0123456789abcdef.js",
        "/assets/big-aaaaaaaaaaaaaaaa.bin",
        EMPTY,
    ];
    let many = ["0-0"; 33].join(",");
    for file in files {
        let (mut tags, mut date) = (Vec::new(), String::new());
        for address in [world.address, nginx.address] {
            let reply = Request::get(file).send(address).await;
            tags.push(reply.header("etag").expect("a tag").to_owned());
            reply.header("last-modified").unwrap_or_default().clone_into(&mut date);
        }
        for method in ["GET", "HEAD"] {
            let both = async |headers: &[(&str, &str)]| {
                let mut shapes = Vec::new();
                for (address, tag) in [world.address, nginx.address].into_iter().zip(&tags) {
                    let request = headers.iter().fold(Request::new(method, file), |request, (name, value)| {
                        request.header(name, &value.replace("TAG", tag).replace("DATE", &date).replace("MANY", &many))
                    });
                    shapes.push(Shape::of(&request.send(address).await));
                }
                let theirs = shapes.pop().expect("two answers");
                (shapes.pop().expect("two answers"), theirs)
            };
            for headers in ALIKE {
                let (ours, theirs) = both(headers).await;
                assert!(ours == theirs, "{method} {file} {headers:?}: {}, nginx {}", ours.brief(), theirs.brief());
            }
            // A file that is large enough for all of them.
            for (headers, here, there) in APART.into_iter().filter(|_| file.contains("big")) {
                let (ours, theirs) = both(headers).await;
                assert_eq!((ours.status, theirs.status), (here, there), "{method} {file} {headers:?}");
            }
        }
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
        let request = Request::new(method, files[0]).header("Content-Length", "0");
        let statuses = (request.send(world.address).await.status, request.send(nginx.address).await.status);
        assert_eq!(statuses, (405, 405), "{method}");
    }
}

impl Shape {
    fn brief(&self) -> String {
        let Self { status, range, length, parts, body } = self;
        format!("{status} {range:?} {length:?} {} parts, {} bytes", parts.len(), body.len())
    }
}
