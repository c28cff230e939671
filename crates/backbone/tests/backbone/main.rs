//! The backbone's suite: every case of `cases/` against every store. Redis stores are real servers, started on free ports.

mod cases;
mod costs;
mod faults;
mod fleet;
mod proxy;
mod servers;
mod tidy;

/// Every case, handed to the macro that is named.
macro_rules! with_cases {
    ($then:ident, $store:ident) => {
        $then! { $store;
            bus:
                a_message_reaches_every_other_subscriber,
                messages_of_a_channel_keep_their_order,
                a_released_channel_is_silent,
                a_released_channel_can_be_taken_again,
                an_inbox_reaches_one_node,
                a_namespace_reaches_its_nodes,
                names_with_separators_stay_apart,
                bytes_arrive_as_they_were,
                what_is_too_large_is_refused,
                many_rooms_are_heard,
                what_the_owner_cannot_take_is_reported;
            members:
                members_see_each_other,
                a_leaver_is_gone_at_once,
                the_dead_are_found_and_buried_once,
                who_was_buried_alive_starts_anew,
                a_late_holder_buries_nobody;
            leases:
                one_of_many_gets_the_lease,
                a_renewed_lease_stays,
                a_lease_ends_and_its_holder_is_told,
                a_released_lease_is_free,
                the_fence_only_grows;
            tickets:
                what_is_committed_is_there_for_the_next,
                two_tickets_are_claimed_once,
                whoever_opens_later_refuses_the_others,
                claims_of_two_registers_never_both_win,
                many_commits_at_once_keep_their_order,
                one_commit_takes_many_keys,
                a_lease_that_was_got_back_raises_the_fence,
                what_is_too_large_is_refused,
                scopes_are_apart;
            documents:
                a_value_is_written_and_read,
                a_change_of_an_old_version_is_refused,
                a_removed_value_does_not_repeat_its_versions,
                a_value_ends_in_time,
                no_change_is_lost_among_many,
                fields_of_a_hash_are_set_one_by_one,
                a_hash_ends_in_time,
                a_hash_takes_many_fields,
                tenants_do_not_share_documents;
            sessions:
                a_session_is_recorded_and_read,
                a_session_ends_unless_renewed,
                one_of_many_takes_a_session_over,
                who_lost_a_session_has_no_say_in_it,
                a_removed_session_is_gone,
                a_recorded_session_replaces_the_old;
            histories:
                an_appended_message_arrives_with_its_position,
                messages_that_are_appended_together_stay_together,
                nothing_and_what_is_too_large_are_not_appended,
                what_was_missed_is_told_whole,
                what_is_trimmed_is_gone,
                what_has_more_bytes_than_are_kept_is_gone,
                more_than_asked_for_is_gone,
                what_is_appended_again_is_there_once,
                a_history_that_has_lost_its_end_begins_anew,
                a_position_of_another_history_is_gone,
                entries_end_and_the_count_goes_on,
                positions_and_deliveries_have_one_order,
                rooms_have_histories_of_their_own;
        }
    };
}

macro_rules! suite {
    ($store:ident; $($module:ident: $($case:ident),+;)+) => {
        mod $store {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
                async fn $case() {
                    crate::cases::$module::$case(&crate::fleet::Fleet::$store()).await;
                })+
            })+
        }
    };
}

with_cases!(suite, memory);
with_cases!(suite, single);
with_cases!(suite, sentinel);
with_cases!(suite, cluster);
