//! `this`: session, user, request, siblings; and what server code asks of the host.

use serde_json::json;

use super::double::{App, call, call_as_ann, context, failure, job, on_both_carriers, session, value};

on_both_carriers! {
    this_is_the_calls_own,
    interleaved_calls_keep_their_own_session,
    attributes_are_saved_per_key,
    login_logout_and_channels,
    disconnect_handlers_run_once,
}

async fn this_is_the_calls_own() {
    let app = App::new(
        &[(
            "app",
            "exports.actions = {
                who() { return [this.session.id, this.session.created_at, this.session.user_id, this.user.id, this.user.loggedIn()]; },
                request() { return this.request; },
                helper(n) { return [n, this.session && this.session.id, this.request.id]; },
                sibling(n) { return this.helper(n); },
                detached(n) { const { helper } = this; return [n].map(helper)[0]; },
                anonymous() { return [this.session, this.user]; },
                wire() { return [this.session, this.user]; },
                nested: {
                    up() { return this.session.id; },
                    over() { return this.inner.up(); },
                    inner: { up() { return [this.session.id, typeof this.over]; } },
                },
            };",
        )],
        &[
            "app/who()",
            "app/request()",
            "app/sibling(n)",
            "app/detached(n)",
            "app/anonymous()",
            "app/wire()",
            "app/nested/up()",
            "app/nested/over()",
        ],
    );
    let (engine, _) = app.start();
    let ann = call_as_ann(&engine, "app/who", json!([])).await;
    assert_eq!(ann, Ok(json!(["session-3", 1_700_000_000_000_u64, "ann", "ann", true])));
    let request = call(&engine, "app/request", json!([])).await;
    assert_eq!(request, Ok(json!({"id": "r1", "origin": "socket", "ip": "127.0.0.1", "connection": 7})));
    assert_eq!(call_as_ann(&engine, "app/sibling", json!([5])).await, Ok(json!([5, "session-3", "r1"])));
    assert_eq!(call_as_ann(&engine, "app/detached", json!([5])).await, Ok(json!([5, "session-3", "r1"])));
    assert_eq!(call(&engine, "app/anonymous", json!([])).await, Ok(json!([null, null])));
    assert_eq!(call_as_ann(&engine, "app/nested/up", json!([])).await, Ok(json!("session-3")));
    assert_eq!(call_as_ann(&engine, "app/nested/over", json!([])).await, Ok(json!(["session-3", "undefined"])));
    // Passing a session on to the browser by mistake tells it nothing.
    assert_eq!(call_as_ann(&engine, "app/wire", json!([])).await, Ok(json!([{}, {}])));
}

async fn interleaved_calls_keep_their_own_session() {
    let app = App::new(
        &[(
            "app",
            "let open; const gate = new Promise((resolve) => { open = resolve; });
            exports.actions = {
                async wait(mine) {
                    const before = this.session.user_id;
                    this.session.attributes.color = mine;
                    this.mark = mine;
                    await gate;
                    await this.pause();
                    return [before, this.session.user_id, this.session.attributes.color, this.mark, this.session.id];
                },
                pause() { return new Promise((resolve) => setTimeout(resolve, 1)); },
                open() { open(); return this.mark === undefined; },
            };",
        )],
        &["app/wait(mine)", "app/open()"],
    );
    let (engine, host) = app.start();
    let ann = engine.call(job("app/wait", &json!(["a"]), Some(session(1, Some("ann")))));
    let bob = engine.call(job("app/wait", &json!(["b"]), Some(session(2, Some("bob")))));
    let open = engine.call(job("app/open", &json!([]), Some(session(1, Some("ann")))));
    let (ann, bob, open) = tokio::join!(ann, bob, open);
    assert_eq!(value(ann), Ok(json!(["ann", "ann", "a", "a", "session-1"])));
    assert_eq!(value(bob), Ok(json!(["bob", "bob", "b", "b", "session-2"])));
    assert_eq!(value(open), Ok(json!(true)));
    let mut saved = host.effects();
    saved.sort_by_key(|effect| effect[1].as_u64());
    assert_eq!(saved, [json!(["save", 1, {"color": "a"}, []]), json!(["save", 2, {"color": "b"}, []])]);
}

async fn attributes_are_saved_per_key() {
    let app = App::new(
        &[(
            "app",
            "exports.actions = {
                read() { return this.session.attributes.color; },
                write() {
                    const { attributes } = this.session;
                    attributes.cart.push(3);
                    attributes.seen = { at: new Date(0) };
                    delete attributes.color;
                },
                async save() {
                    this.session.attributes.color = 'blue';
                    const first = await this.session.save();
                    this.session.attributes.color = 'green';
                    return [first === undefined, await this.session.save(), await this.session.save()];
                },
                saveWithCallback(cb) { this.session.attributes.x = 1; this.session.save(() => cb('saved')); },
                async refused() {
                    this.session.attributes.refused = 1;
                    try { await this.session.save(); return 'saved'; } catch (error) { return error.message; }
                },
                replace() { this.session.attributes = { only: 1 }; },
                cyclic() { const { attributes } = this.session; attributes.me = attributes; },
                failing() { this.session.attributes.color = 'lost'; throw new Error('no'); },
            };",
        )],
        &[
            "app/read()",
            "app/write()",
            "app/save()",
            "app/saveWithCallback() cb",
            "app/refused()",
            "app/replace()",
            "app/cyclic()",
            "app/failing()",
        ],
    );
    let (engine, host) = app.start();
    assert_eq!(call_as_ann(&engine, "app/read", json!([])).await, Ok(json!("red")));
    assert!(host.effects().is_empty());
    assert_eq!(call_as_ann(&engine, "app/write", json!([])).await, Ok(json!("undefined")));
    let write = json!(["save", 3, {"cart": [1, 2, 3], "seen": {"at": "1970-01-01T00:00:00.000Z"}}, ["color"]]);
    assert_eq!(host.asked.lock().split_off(0), [write]);
    assert_eq!(call_as_ann(&engine, "app/save", json!([])).await, Ok(json!([true, null, null])));
    let (blue, green) = (json!(["save", 3, {"color": "blue"}, []]), json!(["save", 3, {"color": "green"}, []]));
    assert_eq!(host.asked.lock().split_off(0), [blue, green]);
    assert_eq!(call_as_ann(&engine, "app/saveWithCallback", json!([])).await, Ok(json!("saved")));
    assert_eq!(call_as_ann(&engine, "app/refused", json!([])).await, Ok(json!("too large")));
    host.asked.lock().clear();
    assert_eq!(call_as_ann(&engine, "app/replace", json!([])).await, Ok(json!("undefined")));
    assert_eq!(host.asked.lock().split_off(0), [json!(["save", 3, {"only": 1}, ["color", "cart"]])]);
    let (code, message) = failure(call_as_ann(&engine, "app/cyclic", json!([])).await);
    assert_eq!(code, "not_serializable");
    assert!(message.contains("session.attributes.me"), "{message}");
    assert_eq!(failure(call_as_ann(&engine, "app/failing", json!([])).await).0, "action_error");
    assert!(host.effects().is_empty());
}

async fn login_logout_and_channels() {
    let app = App::with(
        &[(
            "app",
            "exports.actions = {
                login(name, cb) {
                    this.session.authenticate('custom_auth', { name }, (response) => {
                        if (response.success) this.session.setUserId(response.user_id);
                        cb([response, this.session.user_id, this.user.loggedIn()]);
                    });
                },
                async number() { await this.session.setUserId(42); return [this.session.id, this.session.user_id]; },
                async nobody() { await this.session.setUserId(undefined); return this.session.user_id; },
                asked(cb) { this.getSession((session) => cb([session === this.session, session.user_id])); },
                logout(cb) { this.session.user.logout(cb); },
                async channels() {
                    const { channel } = this.session;
                    const ok = [await channel.subscribe('disney'), await channel.subscribe(['kids', 'lobby'])];
                    await channel.unsubscribe(['lobby', 'none']);
                    return [ok, channel.list()];
                },
                badChannel() { this.session.channel.subscribe(['']); },
                missing() { return this.session.authenticate('nobody', {}); },
                async promised() { return this.session.authenticate('promising', { name: 'x' }); },
            };",
        )],
        &[],
        &[
            (
                "custom_auth",
                "exports.authenticate = (params, cb) => {
                    cb(params.name === 'ann' ? { success: true, user_id: 'ann' } : { success: false });
                };",
            ),
            ("promising", "exports.authenticate = async ({ name }) => ({ success: true, user_id: name });"),
        ],
        &[
            "app/login(name) cb",
            "app/number()",
            "app/nobody()",
            "app/asked() cb",
            "app/logout() cb",
            "app/channels()",
            "app/badChannel()",
            "app/missing()",
            "app/promised()",
        ],
    );
    let (engine, host) = app.start();
    let anonymous = || Some(session(3, None));
    let login = value(engine.call(job("app/login", &json!(["ann"]), anonymous())).await);
    assert_eq!(login, Ok(json!([{"success": true, "user_id": "ann"}, "ann", true])));
    assert_eq!(host.asked.lock().split_off(0), [json!(["user", 3, "ann", 7])]);
    let wrong = value(engine.call(job("app/login", &json!(["eve"]), anonymous())).await);
    assert_eq!(wrong, Ok(json!([{"success": false}, null, false])));
    let number = value(engine.call(job("app/number", &json!([]), anonymous())).await);
    assert_eq!(number, Ok(json!(["new-id", "42"])));
    assert_eq!(host.asked.lock().split_off(0), [json!(["user", 3, "42", 7])]);
    assert_eq!(value(engine.call(job("app/nobody", &json!([]), anonymous())).await), Ok(json!(null)));
    assert_eq!(call_as_ann(&engine, "app/asked", json!([])).await, Ok(json!([true, "ann"])));
    assert_eq!(call_as_ann(&engine, "app/logout", json!([])).await, Ok(json!({})));
    assert_eq!(host.asked.lock().split_off(0), [json!(["user", 3, null, 7])]);
    let channels = call_as_ann(&engine, "app/channels", json!([])).await;
    assert_eq!(channels, Ok(json!([[true, true], ["disney", "kids"]])));
    let asked = [
        json!(["subscribe", 3, ["disney"]]),
        json!(["subscribe", 3, ["kids", "lobby"]]),
        json!(["unsubscribe", 3, ["lobby", "none"]]),
    ];
    assert_eq!(host.asked.lock().split_off(0), asked);
    assert_eq!(failure(call_as_ann(&engine, "app/badChannel", json!([])).await).0, "action_error");
    let missing = failure(call_as_ann(&engine, "app/missing", json!([])).await);
    assert_eq!(missing, ("action_error", "There is no module named 'nobody'".to_owned()));
    let promised = call_as_ann(&engine, "app/promised", json!([])).await;
    assert_eq!(promised, Ok(json!({"success": true, "user_id": "x"})));

    let params = serde_json::value::RawValue::from_string(r#"{"name":"ann"}"#.to_owned()).unwrap();
    let over_http = value(engine.authenticate("custom_auth".to_owned(), params.clone(), context(None)).await);
    assert_eq!(over_http, Ok(json!({"success": true, "user_id": "ann"})));
    let unknown = value(engine.authenticate("__proto__".to_owned(), params, context(None)).await);
    assert_eq!(failure(unknown).0, "action_error");
}

async fn disconnect_handlers_run_once() {
    let app = App::new(
        &[(
            "app",
            "exports.actions = {
                init() {
                    this.session.on('disconnect', (session) => {
                        SS.publish.broadcast('gone', [session.id, session.user_id]);
                        session.user.logout();
                    });
                    this.session.on('disconnect', async function () { this.attributes.left = true; });
                    this.session.on('disconnect', () => { throw new Error('in a handler'); });
                },
                other() { this.session.on('message', () => {}); },
            };",
        )],
        &["app/init()", "app/other()"],
    );
    let (engine, host) = app.start();
    assert_eq!(call_as_ann(&engine, "app/init", json!([])).await, Ok(json!("undefined")));
    assert_eq!(host.asked.lock().split_off(0), [json!(["watch", 7])]);
    engine.disconnected(7, &session(3, Some("ann")));
    engine.disconnected(7, &session(3, Some("ann")));
    host.logged("in a handler").await;
    assert_eq!(failure(call(&engine, "app/other", json!([])).await).0, "action_error");
    let effects = [
        json!(["publish", "Broadcast", "gone", ["session-3", "ann"]]),
        json!(["user", 3, null, null]),
        json!(["save", 3, {"left": true}, []]),
    ];
    assert_eq!(host.effects(), effects);
}
