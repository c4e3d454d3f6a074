use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection as Database, OptionalExtension as _, params};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::{Saved, Session, SessionId};
use crate::log::Log;

/// Writes that are committed together.
const BATCH: usize = 512;
/// Version of the tables.
const TABLES: i64 = 1;

/// Called when a change is on disk, or could not be brought there.
pub(crate) type Done = Box<dyn FnOnce(Result<(), String>) + Send>;

/// Why there is no place for sessions.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be used.
    #[error("cannot use {} for the server's state: {error}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another process has it.
    #[error("{} is in use by another server: give this one its own with `--state-dir`", path.display())]
    Locked {
        /// Which.
        path: PathBuf,
    },
    /// The database cannot be used.
    #[error("cannot use {}: {error}", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        error: rusqlite::Error,
    },
    /// The database was made by a newer server.
    #[error("{} was written by a newer server (tables {found}, this one knows {TABLES})", path.display())]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
}

/// A stored session.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) created_at: u64,
    pub(crate) used_at: u64,
    pub(crate) cookie_at: u64,
    pub(crate) user_id: Option<String>,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) channels: BTreeSet<String>,
}

/// Sessions on disk, behind a thread that commits many writes at once. Memory is the truth; this is what survives.
#[derive(Debug)]
pub(crate) struct Store {
    orders: Mutex<Option<Sender<Order>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Order {
    /// Write a session as it is when its turn comes.
    Save(Arc<Session>, Option<Done>),
    /// Remove the row of an id that is void.
    Delete(SessionId),
    Load(SessionId, oneshot::Sender<Result<Option<Row>, String>>),
    /// Remove the rows not used since then.
    Expire(u64),
}

/// How long a start waits for the folder, in milliseconds: the server before it may be writing its last sessions, and a
/// process that is just being forked holds every lock of its parent for a moment.
const LOCK_WAIT_MS: u64 = 2_000;

impl Store {
    /// Opens the store in `folder`, which no other process may use meanwhile.
    pub(crate) fn open(folder: &Path, log: Log) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Folder { path: folder.to_owned(), error };
        make_private(folder).map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        let given_up = Instant::now() + Duration::from_millis(LOCK_WAIT_MS);
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < given_up => {
                    std::thread::sleep(Duration::from_millis(LOCK_WAIT_MS / 100));
                }
                Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path: folder.to_owned() }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let path = folder.join("sessions.sqlite");
        let database = open_database(&path)?;
        let (orders, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                serve(database, &waiting, &log);
                drop(lock);
            })
            .map_err(failed)?;
        Ok(Self { orders: Mutex::new(Some(orders)), thread: Mutex::new(Some(thread)) })
    }

    /// Writes a session; `done` is called after the commit.
    pub(crate) fn save(&self, session: &Arc<Session>, done: Option<Done>) {
        let waits = std::mem::replace(&mut session.lock().saved, Saved::Waiting) == Saved::Waiting;
        // A write that is on its way takes this change along.
        if waits && done.is_none() {
            return;
        }
        self.order(Order::Save(Arc::clone(session), done));
    }

    /// Forgets an id.
    pub(crate) fn delete(&self, id: SessionId) {
        self.order(Order::Delete(id));
    }

    /// Removes sessions that were not used since then.
    pub(crate) fn expire(&self, before_ms: u64) {
        self.order(Order::Expire(before_ms));
    }

    /// Reads a session.
    pub(crate) async fn load(&self, id: SessionId) -> Result<Option<Row>, String> {
        let (answer, row) = oneshot::channel();
        self.order(Order::Load(id, answer));
        row.await.unwrap_or_else(|_| Err("the store is closed".to_owned()))
    }

    /// Writes what waits, and closes the files.
    pub(crate) fn close(&self) {
        self.orders.lock().take();
        if let Some(thread) = self.thread.lock().take() {
            // A panic of that thread has been reported by itself; there is nothing left to write.
            let _ = thread.join();
        }
    }

    fn order(&self, order: Order) {
        let orders = self.orders.lock();
        let refused = match orders.as_ref() {
            Some(orders) => orders.send(order).err().map(|error| error.0),
            None => Some(order),
        };
        drop(orders);
        if let Some(Order::Save(_, Some(done))) = refused {
            done(Err("the store is closed".to_owned()));
        }
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn open_database(path: &Path) -> Result<Database, StoreError> {
    let failed = |error| StoreError::Database { path: path.to_owned(), error };
    let database = Database::open(path).map_err(failed)?;
    let found: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    if found > TABLES {
        return Err(StoreError::Newer { path: path.to_owned(), found });
    }
    // With the log on disk a commit survives the end of this process, and all but the last ones a loss of power.
    database
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             CREATE TABLE IF NOT EXISTS sessions (
                 id BLOB PRIMARY KEY, created_at INTEGER NOT NULL, used_at INTEGER NOT NULL, cookie_at INTEGER NOT NULL,
                 user_id TEXT, attributes TEXT NOT NULL, channels TEXT NOT NULL
             ) WITHOUT ROWID;
             CREATE INDEX IF NOT EXISTS sessions_used_at ON sessions (used_at);
             PRAGMA user_version = {TABLES};"
        ))
        .map_err(failed)?;
    Ok(database)
}

/// The thread: takes what waits, commits it at once, then tells those who wait.
fn serve(mut database: Database, waiting: &Receiver<Order>, log: &Log) {
    while let Ok(first) = waiting.recv() {
        let orders: Vec<Order> = std::iter::once(first).chain(waiting.try_iter().take(BATCH - 1)).collect();
        perform(&mut database, orders, log);
    }
}

fn perform(database: &mut Database, orders: Vec<Order>, log: &Log) {
    let mut rows = Vec::new();
    let committed = commit(database, &orders, &mut rows);
    if let Err(error) = &committed {
        log.error(format_args!("sessions could not be stored: {error}"));
    }
    let result = committed.map_err(|error| format!("the session could not be stored: {error}"));
    let mut rows = rows.into_iter();
    for order in orders {
        match order {
            Order::Save(session, done) => {
                if result.is_err() {
                    session.lock().saved = Saved::Never;
                }
                if let Some(done) = done {
                    done(result.clone());
                }
            }
            Order::Load(_, answer) => {
                let row = rows.next().unwrap_or_else(|| result.clone().map(|()| None));
                // The handshake that asked may be gone.
                let _ = answer.send(row);
            }
            Order::Delete(_) | Order::Expire(_) => {}
        }
    }
}

/// Performs all orders in one transaction; `rows` gets what was read, in order.
fn commit(
    database: &mut Database,
    orders: &[Order],
    rows: &mut Vec<Result<Option<Row>, String>>,
) -> rusqlite::Result<()> {
    let transaction = database.transaction()?;
    for order in orders {
        match order {
            Order::Save(session, _) => write(&transaction, session)?,
            Order::Delete(id) => {
                transaction.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([row_id(*id)])?;
            }
            Order::Expire(before_ms) => {
                transaction.execute("DELETE FROM sessions WHERE used_at < ?1", [before_ms.cast_signed()])?;
            }
            Order::Load(id, _) => rows.push(read(&transaction, *id).map_err(|error| error.to_string())),
        }
    }
    transaction.commit()
}

fn write(database: &Database, session: &Session) -> rusqlite::Result<()> {
    let mut state = session.lock();
    state.saved = Saved::Yes;
    let (id, user_id) = (row_id(state.id), state.user_id.clone());
    let (used_at, cookie_at) = (state.used_at.cast_signed(), state.cookie_at.cast_signed());
    let attributes = serde_json::to_string(&state.attributes).expect("a JSON object is JSON");
    let channels = serde_json::to_string(&state.channels).expect("a list of strings is JSON");
    drop(state);
    let created_at = session.created_at.cast_signed();
    database
        .prepare_cached("INSERT OR REPLACE INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![id, created_at, used_at, cookie_at, user_id, attributes, channels])?;
    Ok(())
}

fn read(database: &Database, id: SessionId) -> rusqlite::Result<Option<Row>> {
    database
        .prepare_cached(
            "SELECT created_at, used_at, cookie_at, user_id, attributes, channels FROM sessions WHERE id = ?1",
        )?
        .query_row([row_id(id)], |row| {
            Ok(Row {
                created_at: row.get::<_, i64>(0)?.cast_unsigned(),
                used_at: row.get::<_, i64>(1)?.cast_unsigned(),
                cookie_at: row.get::<_, i64>(2)?.cast_unsigned(),
                user_id: row.get(3)?,
                // What does not read as ours is treated as absent: a session is not worth a server.
                attributes: serde_json::from_str(&row.get::<_, String>(4)?).unwrap_or_default(),
                channels: serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_default(),
            })
        })
        .optional()
}

/// Rows are found by a hash, so that the file gives no id away.
fn row_id(id: SessionId) -> Vec<u8> {
    Sha256::digest(id.to_string().as_bytes()).to_vec()
}
