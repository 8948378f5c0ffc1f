//! The list of laws: the only one, from which the tests of every backend and the comparison with the contract come.

use crate::bed::TestBed;
use crate::run::Verdict;

/// One law and its case.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Law {
    /// The group that it stands in, such as `order`.
    pub group: &'static str,
    /// The name, which is the name of its case.
    pub name: &'static str,
    /// The case.
    pub case: fn(&TestBed) -> Verdict,
}

/// Hands every law, by group, to another macro: `then! { [given] group { law law } group { law } }`. The cases that
/// PyTorch's simulated device gets wrong stand first in their group.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_law {
    ([$($then:tt)*] $given:tt) => {
        $($then)* ! { $given
            order {
                a_wait_is_pinned_to_its_point
                work_on_a_stream_runs_in_order
                a_point_completes_after_all_earlier_work_of_its_stream
                a_wait_never_blocks_the_caller
                a_wait_holds_back_later_work_only
                a_wait_on_a_complete_or_own_point_costs_nothing
                a_blocked_stream_holds_back_no_other
                a_wait_crosses_devices_and_backends
            }
            state {
                a_busy_stream_is_not_idle
                complete_stays_complete
                query_never_blocks_and_pending_is_an_answer
                every_waiter_wakes
                a_timeout_changes_nothing_and_explains_itself
            }
            events {
                an_event_names_its_latest_point
                an_event_never_recorded_is_a_state_not_an_error
                an_event_belongs_to_the_device_of_its_first_record
                two_threads_recording_leave_one_record_whole
                record_once_records_once
            }
            failure {
                failure_reaches_every_dependant_with_its_first_cause
                failure_wakes_every_waiter
                a_failed_stream_stays_failed
                a_callers_error_is_never_somebody_elses
            }
            time {
                ordered_points_never_have_negative_time
                a_time_says_its_clock_and_resolution
                each_timing_misuse_has_its_own_error
            }
            life {
                drop_is_quick_silent_and_in_any_order
                a_dropped_stream_finishes_its_work
                ids_are_never_reused
                a_lent_object_comes_clean
                a_fork_child_is_told_so
                exit_never_hangs
            }
            callbacks {
                a_callback_runs_once_and_outside_every_lock
                a_panicking_callback_hurts_nobody
                a_dropped_future_cancels_nothing
            }
            gates {
                a_stream_may_wait_for_a_gate_not_yet_open
                a_cycle_is_named
            }
            context {
                a_call_leaves_the_callers_device_as_it_was
                a_guard_restores_what_was_there
            }
            sharing {
                an_exported_event_orders_another_process
                a_dead_peer_is_an_error_not_a_hang
            }
            observers {
                observers_hear_every_operation_once
                no_observer_no_cost
            }
        }
    };
}

macro_rules! table {
    ([] $($group:ident { $($law:ident)+ })+) => {
        &[$($(Law {
            group: stringify!($group),
            name: stringify!($law),
            case: crate::cases::$group::$law,
        }),+),+]
    };
}

/// Every law, in the order of the list.
pub const LAWS: &[Law] = for_each_law! { [table] [] };

/// Makes one test of every law in every mode of a backend, and one that holds its exceptions to be true.
///
/// The first name is a function without arguments that gives the [`Backend`](crate::Backend); the others are its modes.
///
/// ```ignore
/// fn host() -> Backend { .. }
/// syncpoint_conformance::suite!(host: managed);
/// ```
#[macro_export]
macro_rules! suite {
    ($backend:ident: $($mode:ident),+ $(,)?) => {
        $(mod $mode { $crate::for_each_law! { [$crate::tests] [$backend $mode] } })+

        #[test]
        fn every_exception_names_a_law_once_and_says_why() {
            $crate::check_exceptions(&$backend());
        }
    };
}

/// The tests of one backend in one mode.
#[doc(hidden)]
#[macro_export]
macro_rules! tests {
    ([$backend:ident $mode:ident] $($group:ident { $($law:ident)+ })+) => {
        $(mod $group {
            $(#[test]
            fn $law() {
                $crate::run(&super::super::$backend(), $crate::mode!($mode), stringify!($law));
            })+
        })+
    };
}

/// The mode of a name.
#[doc(hidden)]
#[macro_export]
macro_rules! mode {
    (managed) => {
        $crate::Mode::Managed
    };
    (exposed) => {
        $crate::Mode::Exposed
    };
    (borrowed) => {
        $crate::Mode::Borrowed
    };
}

#[cfg(test)]
mod tests {
    use super::LAWS;

    /// The names that the documentation of the contract lists: lines that begin ``//! - `name` ``.
    fn in_contract() -> Vec<&'static str> {
        let text = include_str!("../../core/src/laws.rs");
        let names = text.lines().filter_map(|line| line.strip_prefix("//! - `"));
        names.filter_map(|rest| rest.split('`').next()).collect()
    }

    #[test]
    fn the_cases_are_the_laws_of_the_contract_in_its_order() {
        let cases: Vec<&str> = LAWS.iter().map(|law| law.name).collect();
        assert_eq!(cases, in_contract());
    }
}
