//! The TCP side: who is connected, how many there may be, and how long a client may let an answer wait.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

use crate::origin::Hosts;
use crate::rate;
use crate::stream::Stream;

/// Who is at the other end of a TCP connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Which `Host` headers are believed.
    pub(crate) hosts: Hosts,
    /// The door it came through.
    pub(crate) entrance: Entrance,
    /// Given back with the last copy of this.
    pub(crate) _place: Arc<Place>,
}

/// How a connection came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// Without encryption, as far as this server sees.
    Plain,
    /// Without, where browsers are sent to the port with TLS.
    Redirecting {
        /// That port.
        tls_port: u16,
    },
    /// Over TLS.
    Tls {
        /// The port.
        port: u16,
        /// Whether its certificate is one that browsers can trust.
        trusted: bool,
    },
}

/// The TCP connections that may be open, in all and of one address.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    of_address: Mutex<HashMap<IpAddr, usize>>,
    max_of_address: usize,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
    _one_of_all: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(max: usize, max_of_address: usize) -> Arc<Self> {
        Arc::new(Self { all: Arc::new(Semaphore::new(max)), of_address: Mutex::default(), max_of_address })
    }

    /// Waits until there is room for one more connection.
    pub(crate) async fn room(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.all).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Gives the room to a connection, unless its address has too many.
    pub(crate) fn take(self: &Arc<Self>, one_of_all: OwnedSemaphorePermit, address: IpAddr) -> Option<Place> {
        let address = rate::network(address);
        let mut of_address = self.of_address.lock();
        let count = of_address.entry(address).or_default();
        if *count >= self.max_of_address {
            return None;
        }
        *count += 1;
        Some(Place { places: Arc::clone(self), address, _one_of_all: one_of_all })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of_address = self.places.of_address.lock();
        if let Some(count) = of_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                of_address.remove(&self.address);
            }
        }
    }
}

/// A stream whose writes fail when the client accepts nothing for too long: an answer that is not read would else keep
/// its connection for ever.
#[derive(Debug)]
pub(crate) struct Patient {
    stream: Stream,
    patience: Duration,
    /// Runs while a write waits.
    until: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub(crate) fn new(stream: Stream, patience: Duration) -> Self {
        Self { stream, patience, until: None }
    }

    pub(crate) fn into_inner(self) -> Stream {
        self.stream
    }

    fn bounded<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.until = None;
            return written;
        }
        let patience = self.patience;
        let until = self.until.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        until.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bounded(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.bounded(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
