//! Tickets of logins: the browser may bring its ticket to another server than the one that its socket is on.

use std::sync::Arc;

use redis::{Value, from_redis_value};

use super::{Backplane, first_error};
use crate::session::SessionId;

impl Backplane {
    /// Lets every server redeem this ticket, for as long as it is valid, then goes on; without Redis this server alone.
    pub(crate) fn issued(
        self: &Arc<Self>,
        ticket: &str,
        id: SessionId,
        valid_ms: u64,
        then: impl FnOnce() + Send + 'static,
    ) {
        let mut command = redis::cmd("SET");
        command.arg(self.names.ticket(ticket)).arg(format!("{} {id}", self.server)).arg("PX").arg(valid_ms.max(1));
        let shared = Arc::clone(self);
        self.link.order(vec![command], move |replies| {
            if let Err(error) = first_error(replies) {
                shared.failed("a login's ticket is known to this server alone", &error);
            }
            then();
        });
    }

    /// Takes a ticket of this server; `false` when another one was quicker.
    pub(crate) async fn withdraw(&self, ticket: &str) -> bool {
        let mut command = redis::cmd("DEL");
        command.arg(self.names.ticket(ticket));
        // Without Redis no other server can have taken it.
        !matches!(self.ask(vec![command]).await, Ok(taken) if taken == [Value::Int(0)])
    }

    /// Takes the ticket of another server, and tells that server.
    pub(crate) async fn redeem(self: &Arc<Self>, ticket: &str) -> Option<SessionId> {
        let mut command = redis::cmd("GETDEL");
        command.arg(self.names.ticket(ticket));
        let value: Value = self.ask(vec![command]).await.ok()?.pop()?;
        let text: Option<String> = from_redis_value(value).ok()?;
        let (server, id) = text.as_deref()?.split_once(' ')?;
        let mut tell = redis::Cmd::new();
        let message = serde_json::json!(["redeemed", ticket]).to_string();
        tell.arg(self.words.publish).arg(self.names.server(server.parse().ok()?)).arg(message);
        self.tell("a login's ticket", vec![tell]);
        SessionId::parse(id)
    }
}
