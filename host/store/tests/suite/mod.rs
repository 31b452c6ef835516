//! What must hold for a store, whatever its engine.

pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod commit;
pub(crate) mod data;
pub(crate) mod inbox;
pub(crate) mod lease;
pub(crate) mod limits;
pub(crate) mod operators;
pub(crate) mod order;
pub(crate) mod outbox;
pub(crate) mod parking;
pub(crate) mod reading;
pub(crate) mod records;
pub(crate) mod tickets;
pub(crate) mod usage;
pub(crate) mod vault;

use std::future::Future;

use postern_store::Store;

/// The audit chain into which the stores of the tests write.
pub(crate) const CHAIN: &str = "host-1";

/// A place for one store, which can be opened several times.
pub(crate) trait Engine: Sync {
    type Store: Store;
    /// An empty place, gone when dropped.
    fn new() -> Self;
    fn open(&self) -> impl Future<Output = Self::Store> + Send;
}

macro_rules! tests {
    ($engine:ty) => {
        $crate::suite::tests!($engine;
            inbox: a_delivery_counts_once_in_a_batch_and_later;
            inbox: of_concurrent_deliveries_one_is_new;
            inbox: a_known_delivery_opens_no_conversation;
            inbox: each_message_needs_a_nonce;
            inbox: a_conversation_begins_with_what_its_first_message_tells;
            inbox: work_comes_in_the_order_of_acceptance;
            inbox: a_message_put_off_holds_back_those_behind_it;
            inbox: a_dead_message_lets_the_next_one_pass;
            inbox: only_a_waiting_message_can_be_settled;
            lease: a_conversation_has_one_worker;
            lease: a_lost_lease_changes_nothing;
            lease: a_released_lease_is_lost;
            lease: a_renewed_lease_lasts;
            lease: recovery_gives_leases_back;
            lease: a_leased_message_is_due_when_the_lease_ends;
            commit: work_has_the_whole_context;
            commit: history_is_the_last_ten_messages;
            commit: a_conflict_undoes_the_whole_commit;
            commit: what_exists_stays_and_what_progresses_is_replaced;
            commit: a_journal_needs_its_invocation;
            commit: a_conversation_keeps_its_place_and_nonce;
            vault: a_value_is_known_by_its_tag_and_by_whose_it_is;
            vault: of_many_tags_only_those_that_are_known_come_back;
            vault: what_stands_in_records_counts_before_what_was_said;
            reading: everything_survives_reopening;
            reading: judged_calls_are_read_page_by_page;
            reading: details_and_summaries_tell_the_whole_story;
            outbox: one_message_of_a_conversation_is_sent_at_a_time;
            outbox: claims_take_the_oldest_first_up_to_the_limit;
            outbox: concurrent_claims_share_nothing;
            outbox: what_goes_to_the_contact_on_file_holds_nothing_up;
            outbox: a_send_put_off_holds_back_those_behind_it;
            outbox: an_interrupted_send_is_repeated_once_and_marked;
            outbox: an_interrupted_send_can_be_held;
            outbox: undelivered_messages_are_listed_newest_first;
            records: an_import_puts_new_versions_in_place;
            records: an_import_that_is_abandoned_leaves_nothing;
            records: of_two_documents_with_one_key_the_later_counts;
            records: records_are_found_by_all_conditions;
            records: writes_expect_what_they_replace;
            records: numbers_come_out_as_they_went_in;
            records: values_of_skills_expire;
            records: values_of_skills_are_counted_by_scope;
            tickets: a_ticket_keeps_its_events_in_order;
            tickets: tickets_are_listed_newest_first;
            audit: rows_form_one_chain_across_concurrent_commits;
            audit: more_rows_than_a_statement_takes_form_one_chain;
            audit: a_failed_commit_leaves_no_gap_in_the_chain;
            audit: the_tail_can_be_of_one_conversation;
            audit: the_log_is_scanned_as_it_lies_there;
            audit: checkpoints_are_kept_in_order_and_never_replaced;
            usage: the_last_runs_of_a_component_tell_what_it_used;
            approvals: an_approval_grows_version_by_version;
            approvals: of_two_votes_at_once_one_is_refused;
            approvals: a_stale_approval_undoes_the_whole_commit;
            approvals: approvals_are_listed_newest_first;
            approvals: pending_approvals_come_due;
            approvals: work_has_the_approvals_of_the_turn;
            parking: a_parked_message_lets_its_conversation_go_on;
            parking: a_parked_message_is_due_only_when_it_is_woken;
            parking: a_message_can_wait_alone_in_its_conversation;
            parking: a_restart_leaves_messages_parked;
            parking: a_lost_lease_parks_nothing;
            parking: a_message_woken_while_it_is_worked_on_stays_due;
            parking: only_a_waiting_message_can_be_parked;
            parking: a_parked_message_can_be_settled;
            limits: a_rate_lets_a_burst_pass_and_then_one_each_interval;
            limits: a_clock_that_was_ahead_closes_no_limit_for_long;
            limits: limits_are_taken_all_or_none;
            limits: a_reservation_is_counted_once;
            limits: a_reservation_is_known_for_a_week_or_the_window;
            limits: concurrent_takings_never_exceed_a_limit;
            limits: what_can_never_be_taken_says_so;
            operators: operators_are_kept_and_replaced;
            operators: a_token_leads_to_its_operator_until_it_is_forgotten;
            operators: a_token_needs_its_operator;
            operators: an_account_is_one_operators;
            operators: a_code_counts_once_and_in_time;
        );

        #[test]
        fn limits_count_as_their_models() {
            $crate::suite::limits::hold::<$engine>();
        }

        #[test]
        fn no_message_is_processed_twice_or_out_of_order() {
            $crate::suite::order::holds::<$engine>();
        }
    };
    ($engine:ty; $($room:ident: $name:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let engine = <$engine as $crate::suite::Engine>::new();
            $crate::suite::$room::$name(&engine).await;
        }
    )*};
}
pub(crate) use tests;
