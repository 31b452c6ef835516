use postern_domain::{Digest, Outcome, SkillFailure};
use postern_store::{Change, InvocationRow, Store, UseRow};

use super::{Engine, data::*};

fn ran(row: InvocationRow, ms: i64, took_us: u64) -> InvocationRow {
    let result = Some(Ok(Outcome::Done));
    InvocationRow { at: at(ms), took_us, cpu_us: 7, memory_bytes: 9, host_calls: 3, result, ..row }
}

pub(crate) async fn the_last_runs_of_a_component_tell_what_it_used(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let turn = turn(&message);
    let trap = SkillFailure::Trap { message: "unreachable".into() };
    let oldest = ran(invocation(&turn, 0), 1, 10);
    let middle =
        InvocationRow { result: Some(Err(trap.clone())), ..ran(invocation(&turn, 1), 2, 20) };
    let newest = ran(invocation(&turn, 2), 3, 30);
    let mut others = [
        ran(invocation(&turn, 3), 9, 99),
        ran(invocation(&turn, 4), 9, 99),
        ran(invocation(&turn, 5), 9, 99),
        // Refused before it could run.
        ran(invocation(&turn, 6), 9, 0),
    ];
    others[0].skill = "other".parse().unwrap();
    others[1].digest = Digest::of_bytes(b"the version before");
    others[2].result = None;
    let all = [newest, oldest.clone(), middle].into_iter().chain(others);
    let mut commit = under(&lease, [Change::Turn(turn.clone())]);
    commit.changes.extend(all.map(Change::Invocation));
    store.commit(commit).await.unwrap();

    let row =
        |took_us, failure| UseRow { took_us, cpu_us: 7, memory_bytes: 9, host_calls: 3, failure };
    let expected = [row(30, None), row(20, Some(trap)), row(10, None)];
    let used = async |limit| store.skill_use(&oldest.skill, oldest.digest, limit).await.unwrap();
    assert_eq!(used(9).await, expected);
    assert_eq!(used(2).await, expected[..2]);
    let since = async |ms, limit| {
        store.skill_use_since(&oldest.skill, oldest.digest, at(ms), limit).await.unwrap()
    };
    assert_eq!(since(1, 9).await, expected);
    assert_eq!(since(2, 9).await, expected[..2]);
    assert_eq!(since(2, 1).await, expected[..1]);
    assert_eq!(since(4, 9).await, []);
    let nobody = "nobody".parse().unwrap();
    assert_eq!(store.skill_use(&nobody, oldest.digest, 9).await.unwrap(), []);
    let invocations = store.work(&lease, at(9)).await.unwrap().unwrap().invocations;
    assert_eq!(invocations[0], oldest);
}
