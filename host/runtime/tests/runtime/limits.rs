//! Limits of the engine itself: fuel, stack, places for calls, and the pool.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use postern_domain::{HostCall, HostReply, Interface, SkillFailure, Timestamp};
use postern_runtime::{
    Answered, HostPort, InUse, Limits, LoadedSkill, PortError, Runtime, RuntimeConfig,
};
use serde_json::json;
use tokio::sync::Notify;

use crate::support::{
    NOW, compiled, component, empty, failure, invocation, port_with, reply, skill,
};

fn limit(skill: &str, name: &str, value: &str) -> SkillFailure {
    let skill = skill.parse().expect("the name is an id");
    SkillFailure::Limit { skill: Some(skill), limit: name.into(), value: value.into() }
}

fn runtime(concurrent_calls: u32) -> Runtime {
    Runtime::new(RuntimeConfig { concurrent_calls, ..RuntimeConfig::default() })
        .expect("the engine starts")
}

fn load(runtime: &Runtime, name: &'static str, limits: &Limits) -> LoadedSkill {
    let granted = BTreeSet::from(Interface::ALL);
    let id = name.parse().expect("the name is an id");
    runtime.load_bytes(&id, &compiled(name), &granted, limits).expect("the component loads")
}

#[tokio::test]
async fn fuel_is_the_same_in_every_run_and_ends_the_call_where_it_is_used_up() {
    let config = RuntimeConfig { concurrent_calls: 2, fuel: true, ..RuntimeConfig::default() };
    let counting = Runtime::new(config).unwrap();
    let code = counting.compile(&component("chatty")).unwrap();
    let granted = BTreeSet::from(Interface::ALL);
    let id = "chatty".parse().unwrap();
    let chatty = counting.load_bytes(&id, &code, &granted, &Limits::default()).unwrap();
    let once = || invocation("once", &json!({}));
    let used = chatty.invoke(once(), empty().0).await.usage.fuel.unwrap();
    assert!(used > 1_000, "{used}");
    assert_eq!(chatty.invoke(once(), empty().0).await.usage.fuel, Some(used));

    let mut enough = once();
    enough.limits.fuel = Some(used);
    let report = chatty.invoke(enough, empty().0).await;
    assert_eq!(report.usage.fuel, Some(used));
    assert_eq!(reply(report), "None");

    let mut too_little = once();
    too_little.limits.fuel = Some(1_000);
    let report = chatty.invoke(too_little, empty().0).await;
    assert_eq!(failure(report), limit("chatty", "fuel", "1000 units"));

    // Where it is not counted, it is no limit, and code is not interchangeable.
    let mut uncounted = once();
    uncounted.limits.fuel = Some(0);
    let report = skill("chatty").invoke(uncounted, empty().0).await;
    assert_eq!((report.usage.fuel, reply(report).as_str()), (None, "None"));
    assert_ne!(counting.engine_fingerprint(), runtime(1).engine_fingerprint());
}

#[tokio::test]
async fn a_deep_recursion_ends_at_the_limit_of_the_stack() {
    let runtime = runtime(2);
    for (asked_kib, shown) in [(1, "128 KiB"), (300, "256 KiB"), (512, "512 KiB"), (4_096, "1 MiB")]
    {
        let limits = Limits { stack_bytes: asked_kib << 10, ..Limits::default() };
        let trapper = load(&runtime, "trapper", &limits);
        let report = trapper.invoke(invocation("overflow", &json!({})), empty().0).await;
        assert_eq!(failure(report), limit("trapper", "stack", shown));
        let report = trapper.invoke(invocation("log", &json!({})), empty().0).await;
        assert!(report.result.is_ok(), "{shown}: {report:?}");
    }
}

/// Does not answer before it is told to.
struct Held {
    asked: Arc<Notify>,
    go_on: Arc<Notify>,
}

#[async_trait]
impl HostPort for Held {
    async fn call(&mut self, _: HostCall) -> Result<Answered, PortError> {
        self.asked.notify_one();
        self.go_on.notified().await;
        Ok(Answered { answer: Ok(HostReply::Value { value: None }), at: NOW })
    }
}

#[tokio::test]
async fn a_call_without_a_place_fails_after_its_own_wall_clock_limit() {
    let runtime = runtime(2);
    let limits = Limits { skill_calls: 1, ..Limits::default() };
    let (chatty, trapper) = (load(&runtime, "chatty", &limits), load(&runtime, "trapper", &limits));
    let hoarder = load(&runtime, "hoarder", &limits);
    let hurried = |tool: &str| {
        let mut call = invocation(tool, &json!({}));
        call.limits.wall = Duration::from_millis(50);
        call
    };
    let hold = || {
        let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        (Box::new(Held { asked: asked.clone(), go_on: go_on.clone() }), asked, go_on)
    };
    let (port, asked, go_on) = hold();
    let held = tokio::spawn({
        let chatty = chatty.clone();
        async move { chatty.invoke(invocation("once", &json!({})), port).await }
    });
    asked.notified().await;
    assert_eq!(runtime.in_use().free_slots, 1);
    // The skill's only place is taken; other skills have theirs.
    let report = chatty.invoke(hurried("once"), empty().0).await;
    assert_eq!(report.usage.wall, Duration::ZERO);
    assert_eq!(failure(report), limit("chatty", "skill_calls", "1 calls at a time"));
    let report = trapper.invoke(invocation("log", &json!({})), empty().0).await;
    assert!(report.result.is_ok(), "{report:?}");

    let (port, asked, go_on_too) = hold();
    let held_too =
        tokio::spawn(async move { trapper.invoke(invocation("log", &json!({})), port).await });
    asked.notified().await;
    let report = hoarder.invoke(hurried("remember"), empty().0).await;
    assert_eq!(failure(report), limit("hoarder", "concurrent_calls", "2 calls at a time"));

    // One that waits gets the first place that becomes free.
    let waits =
        tokio::spawn(async move { chatty.invoke(invocation("once", &json!({})), empty().0).await });
    tokio::task::yield_now().await;
    go_on.notify_one();
    go_on_too.notify_one();
    assert_eq!(reply(held.await.unwrap()), "None");
    assert!(held_too.await.unwrap().result.is_ok());
    assert_eq!(reply(waits.await.unwrap()), "None");
    assert_eq!(runtime.in_use().free_slots, 2);
}

#[tokio::test]
async fn everything_is_back_in_the_pool_however_a_call_ends() {
    let runtime = runtime(2);
    let idle = InUse { free_slots: 2, ..InUse::default() };
    assert_eq!(runtime.in_use(), idle);
    for stack_kib in [128, 512] {
        let limits = Limits { stack_bytes: stack_kib << 10, ..Limits::default() };
        for (name, tool) in [
            ("looper", "loop_forever"),
            ("hoarder", "eat_memory"),
            ("trapper", "trap"),
            ("trapper", "overflow"),
            ("chatty", "chatter"),
            ("chatty", "stuff"),
        ] {
            let mut call = invocation(tool, &json!({}));
            call.limits.cpu = Duration::from_millis(50);
            let report = load(&runtime, name, &limits).invoke(call, empty().0).await;
            assert!(report.result.is_err(), "{name} {tool}");
            assert_eq!(runtime.in_use(), idle, "{name} {tool}");
        }
    }
    // Also when nobody waits for its end.
    let chatty = load(&runtime, "chatty", &Limits::default());
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let port = Box::new(Held { asked: Arc::clone(&asked), go_on });
    let mut running = Box::pin(chatty.invoke(invocation("once", &json!({})), port));
    tokio::select! {
        biased;
        report = &mut running => panic!("{report:?}"),
        () = asked.notified() => {}
    }
    let busy = runtime.in_use();
    assert_eq!((busy.instances, busy.stacks, busy.free_slots), (1, 1, 1), "{busy:?}");
    drop(running);
    assert_eq!(runtime.in_use(), idle);
}

#[tokio::test]
async fn a_guests_clocks_move_to_the_time_of_each_outcome_and_never_back() {
    let at = |ms| NOW.plus_millis(ms);
    let look = async |times: [Timestamp; 2]| {
        let mut times = times.into_iter();
        let (port, _) = port_with(move |_| {
            let answer = Ok(HostReply::Value { value: None });
            Ok(Answered { answer, at: times.next().unwrap() })
        });
        let call = invocation("look_at_the_clock", &json!({}));
        reply(skill("chatty").invoke(call, port).await)
    };
    let moved = "1700000000123+0 1700000001123+1000 1700000004123+4000";
    assert_eq!(look([at(1_000), at(4_000)]).await, moved);
    assert_eq!(look([at(1_000), at(4_000)]).await, moved, "a second run sees the same");
    let standing = "1700000000123+0 1700000001123+1000 1700000001123+1000";
    assert_eq!(look([at(1_000), at(-9_000)]).await, standing);
}
