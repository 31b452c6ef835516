//! Skills that loop, hoard, trap and talk too much each cost one call.

use std::{
    collections::BTreeSet,
    future::pending,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use postern_domain::{
    CallFailure, FailureKind, HostCall, HostReply, Interface, InvocationId, SkillFailure,
};
use postern_runtime::{Answered, HostPort, InvokeError, Limits, PortError};
use serde_json::json;

use crate::support::{
    NOW, RUNTIME, compiled, empty, failure, invocation, port, port_with, reply, skill,
};

fn limit(skill: &str, name: &str, value: &str) -> SkillFailure {
    let skill = skill.parse().expect("the name is an id");
    SkillFailure::Limit { skill: Some(skill), limit: name.into(), value: value.into() }
}

#[tokio::test]
async fn a_loop_ends_at_the_cpu_limit_and_the_next_call_works() {
    let looper = skill("looper");
    for tool in ["loop_forever", "loop_over_the_border", "loop_asleep"] {
        let mut call = invocation(tool, &json!({}));
        call.limits.cpu = Duration::from_millis(100);
        let report = looper.invoke(call, empty().0).await;
        let cpu = report.usage.cpu;
        assert_eq!(failure(report), limit("looper", "cpu_time", "100 ms"), "{tool}");
        assert!(cpu >= Duration::from_millis(100), "{tool}: {cpu:?}");
        assert!(cpu < Duration::from_secs(2), "{tool}: {cpu:?}");
    }
    let report = looper.invoke(invocation("wait_an_hour", &json!({})), empty().0).await;
    assert_eq!(reply(report), "3600 s");
}

#[tokio::test]
async fn a_loop_does_not_keep_others_on_the_same_thread_from_running() {
    let looper = skill("looper");
    let mut call = invocation("loop_forever", &json!({}));
    call.limits.cpu = Duration::from_millis(300);
    let turns = async {
        let mut turns = 0_u32;
        loop {
            tokio::task::yield_now().await;
            turns += 1;
            if turns == 10 {
                return;
            }
        }
    };
    let loops = looper.invoke(call, empty().0);
    tokio::pin!(loops);
    tokio::select! {
        biased;
        report = &mut loops => panic!("the loop kept the thread: {report:?}"),
        () = turns => {}
    }
    assert_eq!(failure(loops.await), limit("looper", "cpu_time", "300 ms"));
}

#[tokio::test]
async fn a_hoarder_ends_at_the_memory_limit_and_leaves_nothing_behind() {
    let hoarder = skill("hoarder");
    let mut call = invocation("eat_memory", &json!({}));
    call.limits.memory_bytes = 16 << 20;
    let report = hoarder.invoke(call, empty().0).await;
    assert!(report.usage.memory_bytes <= 16 << 20, "{:?}", report.usage);
    assert!(report.usage.memory_bytes > 8 << 20, "{:?}", report.usage);
    assert_eq!(failure(report), limit("hoarder", "memory", "16 MiB"));

    // More than the pool has is never given, whatever the limits say.
    let mut call = invocation("eat_memory", &json!({}));
    call.limits.memory_bytes = u64::MAX;
    let report = hoarder.invoke(call, empty().0).await;
    assert_eq!(failure(report), limit("hoarder", "memory", "64 MiB"));

    let mut call = invocation("remember", &json!({}));
    call.limits.memory_bytes = 1 << 10;
    assert_eq!(failure(hoarder.invoke(call, empty().0).await), limit("hoarder", "memory", "1 KiB"));

    let mut call = invocation("remember", &json!({}));
    call.limits.table_elements = 0;
    let report = hoarder.invoke(call, empty().0).await;
    assert_eq!(failure(report), limit("hoarder", "table", "0 elements"));

    for _ in 0..2 {
        let report = hoarder.invoke(invocation("remember", &json!({})), empty().0).await;
        assert_eq!(reply(report), "call 1, 8388608 bytes");
    }
}

#[tokio::test]
async fn a_trap_is_named_by_its_kind_and_its_last_words_are_logged() {
    let trapper = skill("trapper");
    for (tool, wanted) in [
        ("trap", "wasm trap: wasm `unreachable` instruction executed"),
        ("panic", "wasm trap: wasm `unreachable` instruction executed"),
        ("exit", "the component called exit instead of answering"),
    ] {
        let (port, seen) = empty();
        let report = trapper.invoke(invocation(tool, &json!({})), port).await;
        let message = wanted.to_owned();
        assert_eq!(failure(report), SkillFailure::Trap { message }, "{tool}");
        if tool == "panic" {
            let log = seen.log().join(" ");
            assert!(log.contains("out of ideas"), "{log}");
        }
    }
    let report = trapper.invoke(invocation("log", &json!({})), empty().0).await;
    assert!(report.result.is_ok(), "{report:?}");
}

#[tokio::test]
async fn a_chatterer_ends_at_the_limit_of_host_calls() {
    let chatty = skill("chatty");
    let (port, seen) = empty();
    let mut call = invocation("chatter", &json!({}));
    call.limits.host_calls = 20;
    let report = chatty.invoke(call, port).await;
    assert_eq!(report.usage.host_calls, 20);
    assert_eq!(failure(report), limit("chatty", "host_calls", "20 calls"));
    assert_eq!(seen.calls().len(), 20);
}

#[tokio::test]
async fn an_interface_has_a_limit_of_its_own_below_that_of_all() {
    let chatty = skill("chatty");
    let (port, seen) = empty();
    let mut call = invocation("chatter", &json!({}));
    call.limits.interface_calls.set(Interface::Kv, 7);
    let report = chatty.invoke(call, port).await;
    assert_eq!(failure(report), limit("chatty", "host_calls:kv", "7 calls"));
    assert_eq!(seen.calls().len(), 7);
    let mut call = invocation("once", &json!({}));
    call.limits.interface_calls.set(Interface::Kv, 1);
    call.limits.interface_calls.set(Interface::Http, 0);
    assert_eq!(reply(chatty.invoke(call, empty().0).await), "None");
}

#[tokio::test]
async fn bytes_to_the_host_are_limited_together_and_in_one_call() {
    let chatty = skill("chatty");
    let (port, seen) = empty();
    let report = chatty.invoke(invocation("stuff", &json!({})), port).await;
    assert!(report.usage.sent_bytes > 4 << 20, "{:?}", report.usage);
    assert_eq!(failure(report), limit("chatty", "sent", "4 MiB"));
    // 48 KiB and three bytes of key at a time.
    assert_eq!(seen.calls().len(), (4 << 20) / ((48 << 10) + 3));

    let (port, seen) = empty();
    let report = chatty.invoke(invocation("stuff_at_once", &json!({})), port).await;
    assert_eq!(failure(report), limit("chatty", "sent", "4 MiB"));
    assert_eq!(seen.calls(), []);

    let mut call = invocation("log_flood", &json!({}));
    call.limits.sent_bytes = 3 << 20;
    assert_eq!(failure(chatty.invoke(call, empty().0).await), limit("chatty", "sent", "3 MiB"));
}

#[tokio::test]
async fn bytes_from_the_host_are_limited_whatever_they_are() {
    let chatty = skill("chatty");
    let received = || limit("chatty", "received", "4 MiB");
    let large = |_: &HostCall| Ok(HostReply::Value { value: Some(vec![0; 5 << 20]) });
    let report = chatty.invoke(invocation("once", &json!({})), port_of(large)).await;
    assert_eq!(failure(report), received());

    let half = |_: &HostCall| Ok(HostReply::Value { value: Some(vec![0; 2 << 20]) });
    let (port, seen) = port(half);
    assert_eq!(failure(chatty.invoke(invocation("chatter", &json!({})), port).await), received());
    assert_eq!(seen.calls().len(), 2);

    let mut call = invocation("once", &json!({}));
    call.arguments = "x".repeat(5 << 20);
    assert_eq!(failure(chatty.invoke(call, empty().0).await), received());

    let mut call = invocation("once", &json!({}));
    call.settings = vec![("motto".into(), "x".repeat(5 << 20))];
    assert_eq!(failure(chatty.invoke(call, empty().0).await), received());
}

fn port_of(
    answer: impl FnMut(&HostCall) -> Result<HostReply, CallFailure> + Send + 'static,
) -> Box<dyn HostPort> {
    port(answer).0
}

#[tokio::test]
async fn log_lines_over_the_caps_are_dropped_and_nothing_else_happens() {
    let chatty = skill("chatty");
    let (port, seen) = empty();
    let report = chatty.invoke(invocation("log_flood", &json!({})), port).await;
    assert_eq!((report.usage.log_lines_dropped, report.usage.host_calls), (901, 0));
    assert_eq!(reply(report), "logged");
    assert_eq!(seen.log().len(), 100);

    let (port, seen) = empty();
    let report = chatty.invoke(invocation("print_flood", &json!({})), port).await;
    assert!(report.usage.log_lines_dropped >= 900, "{:?}", report.usage);
    assert_eq!(reply(report), "printed");
    assert_eq!(seen.log().len(), 100);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_no_answer() {
    let report = skill("hoarder").invoke(invocation("long_answer", &json!({})), empty().0).await;
    assert_eq!(failure(report), limit("hoarder", "result", "64 KiB"));
}

/// Never answers.
struct Silent;

#[async_trait]
impl HostPort for Silent {
    async fn call(&mut self, _: HostCall) -> Result<Answered, PortError> {
        pending().await
    }
}

#[tokio::test]
async fn a_port_that_never_answers_ends_at_the_wall_clock_limit() {
    let chatty = skill("chatty");
    for tool in ["once", "log_flood", "print_flood"] {
        let mut call = invocation(tool, &json!({}));
        call.limits.wall = Duration::from_millis(300);
        let report = chatty.invoke(call, Box::new(Silent)).await;
        assert!(report.usage.cpu < Duration::from_millis(300), "{:?}", report.usage);
        match tool {
            // It had its answer ready when its output had nowhere to go.
            "print_flood" => assert_eq!(reply(report), "printed"),
            _ => assert_eq!(failure(report), limit("chatty", "wall_time", "300 ms"), "{tool}"),
        }
    }
    let report = chatty.invoke(invocation("once", &json!({})), empty().0).await;
    assert_eq!(reply(report), "None");
}

/// Answers for a moment, keeps the thread busy for longer, and never answers again.
struct Tiring(Instant);

#[async_trait]
impl HostPort for Tiring {
    async fn call(&mut self, _: HostCall) -> Result<Answered, PortError> {
        if self.0.elapsed() < Duration::from_millis(60) {
            return Ok(Answered { answer: Ok(HostReply::Value { value: None }), at: NOW });
        }
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(600) {
            std::hint::spin_loop();
        }
        pending().await
    }
}

#[tokio::test]
async fn a_guest_that_is_given_up_is_not_charged_for_what_the_host_did_meanwhile() {
    let mut call = invocation("chatter", &json!({}));
    call.limits.host_calls = u32::MAX;
    call.limits.interface_calls.set(Interface::Kv, u32::MAX);
    call.limits.cpu = Duration::from_millis(200);
    call.limits.wall = Duration::from_millis(700);
    let report = skill("chatty").invoke(call, Box::new(Tiring(Instant::now()))).await;
    assert!(report.usage.cpu < Duration::from_millis(200), "{:?}", report.usage);
    assert_eq!(failure(report), limit("chatty", "wall_time", "700 ms"));
}

#[tokio::test]
async fn an_abort_counts_for_more_than_the_limit_that_came_before_it() {
    let chatty = skill("chatty");
    let used = chatty.invoke(invocation("once", &json!({})), empty().0).await.usage.memory_bytes;
    let mut call = invocation("print_flood", &json!({}));
    // Less than the line that comes after the others.
    call.limits.memory_bytes = used + (512 << 10);
    let report = chatty.invoke(call.clone(), empty().0).await;
    assert!(matches!(failure(report), SkillFailure::Limit { limit, .. } if limit == "memory"));
    let (port, seen) = port_with(|_| Err(PortError::abort(std::io::Error::other("lease lost"))));
    let report = chatty.invoke(call, port).await;
    let Err(InvokeError::Aborted(error)) = report.result else { panic!("{report:?}") };
    assert_eq!((error.to_string().as_str(), seen.calls().len()), ("lease lost", 1));
}

#[tokio::test]
async fn an_abort_ends_the_call_and_comes_back_as_it_was() {
    #[derive(Debug, thiserror::Error)]
    #[error("waits for approval")]
    struct Suspended(u32);

    for tool in ["once", "log_flood"] {
        let (port, seen) = port_with(|_| Err(PortError::abort(Suspended(42))));
        let report = skill("chatty").invoke(invocation(tool, &json!({})), port).await;
        let Err(InvokeError::Aborted(error)) = report.result else { panic!("{report:?}") };
        assert_eq!(error.downcast_ref::<Suspended>().unwrap().0, 42);
        assert_eq!(seen.calls().len(), 1, "{tool}");
    }
}

#[tokio::test]
async fn a_refused_log_line_does_not_fail_and_a_refused_call_does_not_end_the_guest() {
    let refuse =
        |_: &HostCall| Err(CallFailure::new(FailureKind::Denied, "rule no-kv; ask the operator"));
    let report = skill("chatty").invoke(invocation("log_flood", &json!({})), port_of(refuse)).await;
    assert_eq!(reply(report), "logged");
    let report = skill("chatty").invoke(invocation("once", &json!({})), port_of(refuse)).await;
    let message = "rule no-kv; ask the operator".to_owned();
    assert_eq!(failure(report), SkillFailure::Unavailable { message });
}

#[tokio::test]
async fn a_reply_of_another_kind_is_a_defect_of_the_host_and_ends_the_call() {
    let wrong = |_: &HostCall| Ok(HostReply::Queued { queue: "support".into() });
    let report = skill("chatty").invoke(invocation("once", &json!({})), port_of(wrong)).await;
    let Err(InvokeError::Aborted(error)) = report.result else { panic!("{report:?}") };
    assert!(error.to_string().contains("kv:get"), "{error}");
}

#[tokio::test]
async fn what_a_skill_prints_without_a_grant_for_the_log_is_dropped() {
    let granted = BTreeSet::new();
    let hoarder = RUNTIME
        .load_bytes(&"hoarder".parse().unwrap(), &compiled("hoarder"), &granted, &Limits::default())
        .unwrap();
    let mut call = invocation("eat_memory", &json!({}));
    call.id = InvocationId::derive(&["silent"]);
    let (port, seen) = empty();
    assert_eq!(failure(hoarder.invoke(call, port).await), limit("hoarder", "memory", "64 MiB"));
    assert_eq!(seen.calls(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_calls_share_four_slots() {
    let (echo, looper) = (skill("echo"), skill("looper"));
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (echo, looper) = (echo.clone(), looper.clone());
        calls.spawn(async move {
            if n % 10 == 0 {
                let mut call = invocation("loop_forever", &json!({}));
                call.limits.cpu = Duration::from_millis(30);
                let report = looper.invoke(call, empty().0).await;
                assert_eq!(failure(report), limit("looper", "cpu_time", "30 ms"));
            } else {
                let text = format!("call {n}");
                let call = invocation("echo", &json!({"text": text}));
                assert_eq!(reply(echo.invoke(call, empty().0).await), text);
            }
        });
    }
    assert_eq!(calls.join_all().await.len(), 50);
}
