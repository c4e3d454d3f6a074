//! Who is online, on all servers.

use std::collections::BTreeSet;
use std::sync::Arc;

use redis::from_redis_value;
use serde_json::json;

use super::streams::eval;
use super::{Backplane, first_error};
use crate::engine::Reply;
use crate::hub::Hub;

/// A sign of life by Redis's clock: those of the servers may differ.
const SEEN: &str = "\
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
for i = 1, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[i]) end
return 1";

/// Those seen lately; the others are removed.
const NOW: &str = "\
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - ARGV[1]))
return redis.call('ZRANGE', KEYS[1], 0, -1)";

impl Backplane {
    /// A user of this server who was not online a moment ago.
    pub(crate) fn came(&self, user: &str) {
        let mut command = eval(SEEN, 1);
        command.arg(self.names.online()).arg(self.member(user));
        self.tell("who is online", vec![command]);
    }

    /// A user whose last tab of this server is logged out.
    pub(crate) fn left(&self, user: &str) {
        let mut command = redis::cmd("ZREM");
        command.arg(self.names.online()).arg(self.member(user));
        self.tell("who is online", vec![command]);
    }

    /// Those online on any server, in order; without Redis those of this one.
    pub(crate) fn online(self: &Arc<Self>, silence_ms: u64, reply: Reply) {
        let mut command = eval(NOW, 1);
        command.arg(self.names.online()).arg(silence_ms);
        let shared = Arc::clone(self);
        self.link.order(vec![command], move |replies| {
            let read = first_error(replies).and_then(|mut replies| {
                from_redis_value::<Vec<String>>(replies.remove(0)).map_err(|error| error.to_string())
            });
            match (read, shared.hub()) {
                (Ok(members), _) => {
                    let users: BTreeSet<&str> = members.iter().filter_map(|m| Some(m.split_once(' ')?.1)).collect();
                    reply(Ok(json!(users)));
                }
                (Err(error), Some(hub)) => {
                    shared.failed("who is online on other servers", &error);
                    reply(Ok(json!(hub.presence.now())));
                }
                (Err(error), None) => reply(Err(error)),
            }
        });
    }

    /// The signs of life since the last time, gathered.
    pub(super) fn report_online(&self, hub: &Hub) {
        let users = hub.presence.take_seen();
        for users in users.chunks(1000) {
            let mut command = eval(SEEN, 1);
            command.arg(self.names.online());
            users.iter().for_each(|user| {
                command.arg(self.member(user));
            });
            self.tell("who is online", vec![command]);
        }
    }

    /// Each server speaks for its own connections.
    fn member(&self, user: &str) -> String {
        format!("{} {user}", self.server)
    }
}
