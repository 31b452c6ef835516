use std::fs;

use super::{follow::Told, *};
use crate::{http::fixture::TestHost, registry::Generation};

fn somebody() -> ConversationId {
    ConversationId::derive(&["somebody"])
}

fn activate(host: &TestHost, number: u64) {
    host.app.registry.activate(&Generation { number, ..Generation::default() }).unwrap();
}

/// Makes a generation the active one that cannot be loaded, because it is not there.
fn activate_missing(host: &TestHost, number: u64) {
    fs::write(host.app.config.data.join("skills/current"), number.to_string()).unwrap();
}

#[tokio::test]
async fn a_generation_that_did_not_load_is_tried_again() {
    let host = TestHost::new().await;
    let mut refused = Told::default();
    let active = async |refused: &mut Told| {
        host.app.follow_once(refused).await;
        host.app.skills().number
    };
    activate_missing(&host, 1);
    assert_eq!(active(&mut refused).await, 0);
    let mut waits = Vec::new();
    for _ in 0..7 {
        let wait = refused.generation.expect("it was refused").wait();
        waits.push(wait.as_secs());
        let before = refused.generation;
        host.clock.advance_ms(i64::try_from(wait.as_millis()).unwrap() - 1);
        assert_eq!(active(&mut refused).await, 0);
        assert_eq!(refused.generation, before, "it was tried too early");
        host.clock.advance_ms(1);
        assert_eq!(active(&mut refused).await, 0);
        assert_ne!(refused.generation, before, "it was not tried");
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300]);

    // What kept it out is gone, which is noticed at the next try.
    activate(&host, 1);
    assert_eq!(active(&mut refused).await, 0);
    host.clock.advance_ms(300_000);
    assert_eq!(active(&mut refused).await, 1);
    assert_eq!(refused.generation, None);
}

#[tokio::test]
async fn another_generation_than_the_refused_one_is_tried_at_once() {
    let host = TestHost::new().await;
    let mut refused = Told::default();
    activate_missing(&host, 1);
    host.app.follow_once(&mut refused).await;
    activate(&host, 2);
    host.app.follow_once(&mut refused).await;
    assert_eq!(host.app.skills().number, 2);
    activate_missing(&host, 3);
    host.app.follow_once(&mut refused).await;
    assert_eq!(refused.generation.expect("it was refused").wait().as_secs(), 10);
    assert_eq!(host.app.skills().number, 2);
    // A clock that was set back by a day.
    activate(&host, 3);
    host.clock.advance_ms(-86_400_000);
    host.app.follow_once(&mut refused).await;
    assert_eq!(host.app.skills().number, 3);
}

#[tokio::test]
async fn the_last_generations_of_interrupted_turns_stay_loaded() {
    let host = TestHost::new().await;
    for number in 1..=6 {
        activate(&host, number);
    }
    host.app.follow_once(&mut Told::default()).await;
    let of =
        async |number: u64| host.app.skills_of(&number.to_string(), &somebody()).await.unwrap();
    assert!(Arc::ptr_eq(&of(6).await, &host.app.skills()));
    let (first, same) = tokio::join!(of(1), of(1));
    assert_eq!(first.number, 1);
    assert!(Arc::ptr_eq(&first, &same), "it was loaded twice at once");
    for number in 2..=4 {
        assert_eq!(of(number).await.number, number);
    }
    assert!(Arc::ptr_eq(&first, &of(1).await), "it was loaded again");
    // Now the second was asked for longest ago.
    let second = of(2).await;
    for number in [3, 4, 1, 5] {
        of(number).await;
    }
    assert!(!Arc::ptr_eq(&second, &of(2).await), "more than four stay loaded");

    // A failure is not kept.
    assert!(host.app.skills_of("7", &somebody()).await.is_err());
    activate(&host, 7);
    assert_eq!(of(7).await.number, 7);
}
