use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::client::{Client, Got};
use crate::dialect::Dialect;

/// Handshakes under way at a time.
const MOST_OPENING: usize = 200;

/// Time for all handshakes.
const OPENING: Duration = Duration::from_secs(60);

/// Waits shorter than this are spent awake: what sleeps is woken too late.
const NAP: Duration = Duration::from_millis(2);

/// All connections, and the loop that moves them.
pub(crate) struct Swarm {
    pub(crate) clients: Vec<Client>,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    dialect: Dialect,
}

impl Swarm {
    /// Opens connections, and waits until all can be used.
    pub(crate) fn open(address: SocketAddr, dialect: Dialect, count: usize) -> Result<Self, String> {
        let told = |error: std::io::Error| format!("cannot connect to {address}: {error}");
        let poll = Poll::new().map_err(told)?;
        let mut swarm =
            Self { clients: Vec::new(), poll, events: Events::with_capacity(4096), buffer: vec![0; 1 << 18], dialect };
        let late = Instant::now() + OPENING;
        let mut ready = 0;
        while ready < count {
            while swarm.clients.len() < count && swarm.clients.len() - ready < MOST_OPENING {
                let number = swarm.clients.len();
                let client = swarm.connect(number, address)?;
                swarm.clients.push(client);
            }
            swarm.turn(Instant::now() + Duration::from_millis(100), &mut |_, got| {
                ready += usize::from(matches!(got, Got::Ready));
            })?;
            if Instant::now() > late {
                return Err(format!("only {ready} of {count} connections were opened in {OPENING:?}"));
            }
        }
        Ok(swarm)
    }

    /// Closes a connection, and opens one to that address in its place.
    pub(crate) fn reopen(&mut self, number: usize, address: SocketAddr) -> Result<(), String> {
        self.clients[number] = self.connect(number, address)?;
        Ok(())
    }

    fn connect(&self, number: usize, address: SocketAddr) -> Result<Client, String> {
        let told = |error: std::io::Error| format!("cannot connect to {address}: {error}");
        let mut stream = TcpStream::connect(address).map_err(told)?;
        // A test server may not set it; what is measured here must not wait for anybody's acknowledgement.
        stream.set_nodelay(true).map_err(told)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(number), interest).map_err(told)?;
        Ok(Client::new(number, stream, self.dialect, self.dialect.handshake(address)))
    }

    /// Writes what is queued, waits until something comes or until `until`, and tells what came.
    pub(crate) fn turn(&mut self, until: Instant, got: &mut impl FnMut(&mut Client, Got<'_>)) -> Result<(), String> {
        for client in self.clients.iter_mut().filter(|client| client.has_output()) {
            client.write()?;
        }
        let left = until.saturating_duration_since(Instant::now());
        let nap = if left < NAP { Duration::ZERO } else { left - NAP };
        match self.poll.poll(&mut self.events, Some(nap)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.to_string()),
            _ => {}
        }
        for event in &self.events {
            let client = &mut self.clients[event.token().0];
            if event.is_readable() {
                client.read(&mut self.buffer, got)?;
            }
        }
        Ok(())
    }
}
