//! One build being served: its engine, actions, pages and files, from the moment it is selected until the last call that
//! it took is answered.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::actions::Actions;
use crate::app::{Running, RunningCall};
use crate::assets::Assets;
use crate::browsers::Incompatible;
use crate::config::Config;
use crate::connection::Connection;
use crate::engine::{CallError, ClientEvent, ErrorCode, Host, HostCall, Reply};
use crate::hub::Hub;
use crate::manifest::Action;
use crate::metrics::Metrics;
use crate::numbered::Numbered;
use crate::pages::Pages;

/// A build and what runs it.
pub(crate) struct Generation {
    /// Counts the builds that this process has served.
    pub(crate) number: u64,
    pub(crate) build_id: String,
    pub(crate) actions: Arc<dyn Actions>,
    pub(crate) tree: Arc<BTreeMap<String, Action>>,
    pub(crate) numbered: Arc<Numbered>,
    pub(crate) config: Config,
    /// The HTTP API described; in development only.
    pub(crate) openapi: String,
    pub(crate) pages: Pages,
    pub(crate) incompatible: Incompatible,
    pub(crate) assets: Assets,
    /// Tells its server code from another's.
    pub(crate) server_code: String,
    /// The calls that it took.
    pub(crate) calls: Arc<Running>,
    /// Connections whose end its server code wants to know.
    pub(crate) watches: Arc<Running>,
    /// What else it wants to know.
    pub(crate) wanted: Arc<Wanted>,
}

/// Events of connections that server code has handlers for.
#[derive(Debug, Default)]
pub(crate) struct Wanted([AtomicBool; 3]);

impl Wanted {
    fn want(&self, event: ClientEvent) {
        self.0[event as usize].store(true, Ordering::Relaxed);
    }

    fn wants(&self, event: ClientEvent) -> bool {
        self.0[event as usize].load(Ordering::Relaxed)
    }
}

impl Generation {
    /// The action of that path with its number, or why it is not called.
    pub(crate) fn find(&self, action: &str) -> Result<(usize, &Action), CallError> {
        self.numbered.get(action).ok_or_else(|| {
            let shown: String = action.chars().take(100).collect();
            CallError::new(ErrorCode::UnknownAction, format!("there is no action `{shown}`"))
        })
    }

    /// Tells server code what has happened to a connection, when it wants to know.
    pub(crate) fn tell(&self, event: ClientEvent, connection: &Connection) {
        if self.wanted.wants(event) {
            self.actions.event(event, connection.id, connection.session.view());
        }
    }

    /// The same engine, with pages and files of another build.
    pub(crate) fn with_pages(
        &self,
        build_id: String,
        config: Config,
        (pages, assets, incompatible): (Pages, Assets, Incompatible),
    ) -> Self {
        Self {
            number: self.number,
            build_id,
            actions: Arc::clone(&self.actions),
            tree: Arc::clone(&self.tree),
            numbered: Arc::clone(&self.numbered),
            config,
            pages,
            assets,
            incompatible,
            openapi: self.openapi.clone(),
            server_code: self.server_code.clone(),
            calls: Arc::clone(&self.calls),
            watches: Arc::clone(&self.watches),
            wanted: Arc::clone(&self.wanted),
        }
    }

    /// Takes this generation for a request, which it then waits for; none when it is no longer the selected one.
    pub(crate) fn enter(self: Arc<Self>) -> Option<Entered> {
        let call = self.calls.start(usize::MAX).ok()?;
        Some(Entered { generation: self, _call: call })
    }
}

/// A generation that stays until this is dropped.
#[derive(Clone)]
pub(crate) struct Entered {
    generation: Arc<Generation>,
    _call: RunningCall,
}

impl Deref for Entered {
    type Target = Generation;

    fn deref(&self) -> &Generation {
        &self.generation
    }
}

/// The hub as one generation's server code sees it: the ends of connections are told to the code that asked for them.
pub(crate) struct GenerationHost {
    pub(crate) hub: Arc<Hub>,
    pub(crate) number: u64,
    pub(crate) watches: Arc<Running>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) wanted: Arc<Wanted>,
}

impl Host for GenerationHost {
    fn perform(&self, call: HostCall, reply: Option<Reply>) {
        if let HostCall::WatchDisconnect { connection } = &call
            && let Some(connection) = self.hub.connection(*connection)
        {
            connection.watch_end(self.number, &self.watches);
        }
        if matches!(call, HostCall::Publish { .. }) {
            self.metrics.events.inc();
        }
        if let HostCall::WatchEvents { events } = &call {
            events.iter().for_each(|event| self.wanted.want(*event));
        }
        self.hub.perform(call, reply);
    }
}
