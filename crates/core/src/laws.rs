//! The laws: what every backend keeps, each under the name of the conformance case that tries it.
//!
//! A law speaks of work that went through this library. What it says of work launched through a raw handle stands
//! under *Raw work*; where nothing stands, the law does not depend on it. Where a law cannot hold, the call returns
//! [`Unsupported`](crate::Kind::Unsupported) with the remedy; nothing is weakened in silence. `docs/laws.md` says
//! where each is tested, and which backends have exceptions.
//!
//! # Order
//!
//! - `a_wait_is_pinned_to_its_point`: a wait is for the point that was named, as it was then. Later records under the
//!   same event neither delay nor satisfy it, also where the waiting stream itself records them.
//! - `work_on_a_stream_runs_in_order`: work of one stream runs in the order in which it was enqueued, each piece after
//!   the one before has ended; different streams are unordered unless something orders them. *Raw work*: runs in the
//!   order in which the driver was given it; what a managed stream still holds on the host comes after it.
//! - `a_point_completes_after_all_earlier_work_of_its_stream`: when a point is complete, all work enqueued on its
//!   stream before the record has ended, and what it wrote is visible to whoever sees the point complete. *Raw work*
//!   counts as earlier work where it was launched before the record was submitted.
//! - `a_wait_never_blocks_the_caller`: telling a stream to wait returns at once, whatever the point does. A full queue
//!   of a driver may delay it; on shared streams of Metal that is counted.
//! - `a_wait_holds_back_later_work_only`: what the stream was given before the wait goes on; what it is given after
//!   begins when the point is complete. *Raw work* launched after the wait is held back like any other.
//! - `a_wait_on_a_complete_or_own_point_costs_nothing`: a wait for a point known complete, of the stream's own, or
//!   waited for already (it or one beyond, by one of its eight latest outstanding waits) makes no driver call of any
//!   kind and no operation, and is counted. An own point that failed in an era recovered from is an own point.
//! - `a_blocked_stream_holds_back_no_other`: a stream that waits, however long, delays no stream that does not wait
//!   for it.
//! - `a_wait_crosses_devices_and_backends`: a stream may wait for a point of any device, and for a gate.
//!
//! # State
//!
//! - `a_busy_stream_is_not_idle`: a stream whose last piece of work still runs is not complete: neither its query nor a
//!   point behind that work says so.
//! - `complete_stays_complete`: a point once seen complete is complete for ever, whatever is recorded, recycled, failed
//!   or dropped later.
//! - `query_never_blocks_and_pending_is_an_answer`: a query takes no lock that is held across a driver call, a host
//!   wait or user code, makes at most one driver call, and answers *pending* as a value; only failure is an error. *Raw
//!   work*: the query of a stream that others launch on makes one call more, to learn whether they capture it. *Vulkan*: one
//!   more for each stream that the stream has waited for since its last work, and one for commands of the user's own before.
//! - `every_waiter_wakes`: when a point is settled, all who wait for it go on: threads, streams, futures and
//!   callbacks, however many, and completion is never used up.
//! - `a_timeout_changes_nothing_and_explains_itself`: a wait that runs out leaves the point pending and frees nothing;
//!   its error carries the report of what was awaited, how far that stream is, and what it waits for in turn.
//!
//! # Events
//!
//! - `an_event_names_its_latest_point`: query, state, synchronize, wait and elapsed time of an event speak of its
//!   latest record and of no earlier one. Whoever waits already keeps the point of then.
//! - `an_event_never_recorded_is_a_state_not_an_error`: waiting for it and synchronizing it return at once; its query
//!   is true in the form of CUDA and false in that of Metal; its state says so, and its point can be insisted on.
//! - `an_event_belongs_to_the_device_of_its_first_record`: or to the device that made it. Recording it elsewhere is
//!   refused and leaves it unchanged; waiting elsewhere is legal.
//! - `two_threads_recording_leave_one_record_whole`: of two records at once one stays, whole; of two on one stream the
//!   later; and never an older one over a newer that happened after it.
//! - `record_once_records_once`: of any number of threads one records, and each returns only once there is a point.
//!
//! # Failure
//!
//! *Failed* says: the result must not be used. Behind a failure, work not yet submitted is not run; device work already
//! submitted runs, and its points fail all the same.
//!
//! - `failure_reaches_every_dependant_with_its_first_cause`: along stream order, waits and enqueued openings of gates;
//!   each failed point gives the very same error. *Raw work* is an edge only where a point or a wait of ours names it.
//! - `failure_wakes_every_waiter`: a failure wakes whoever waits, and never leaves a stream blocked.
//! - `a_failed_stream_stays_failed`: it refuses work with its failure until it recovers. Recovering returns the failure
//!   and begins a new era: points recorded before stay failed, those recorded after do not inherit it. A lost device
//!   has no recovery. *Raw work* is not refused, and its points fail until the stream recovers.
//! - `a_callers_error_is_never_somebody_elses`: a call that succeeded returns success, whatever failed elsewhere; an
//!   error names the object that was asked, or is the first cause of a failure that reaches it.
//!
//! # Time
//!
//! - `ordered_points_never_have_negative_time`: of two timed points that something orders, the later never has the
//!   earlier time; a clock that runs backwards is an error with both raw values, never a silent clamp. The error says
//!   so of points of one stream; of two streams, whose order nobody keeps once it is past, it says *reversed*.
//! - `a_time_says_its_clock_and_resolution`: every timed point names its clock; times of different clocks are never
//!   subtracted. No span is finer than the clock's resolution, and the clock says which are coarser.
//! - `each_timing_misuse_has_its_own_error`: not timed, not recorded, other device, not complete, reversed; each names
//!   what it means.
//!
//! # Life
//!
//! - `drop_is_quick_silent_and_in_any_order`: dropping anything makes no driver call, takes no order lock, neither
//!   fails nor blocks nor prints, and order does not matter.
//! - `a_dropped_stream_finishes_its_work`: it takes no new work; what is queued runs when it can, for as long as the
//!   process lives, and its points stay valid. *Raw work* goes on as the driver promises it for a destroyed stream.
//! - `ids_are_never_reused`: of devices' objects, in one process, also where a driver reuses its handles.
//! - `a_lent_object_comes_clean`: what a pool lends carries nothing of its last holder; a failed stream is neither lent
//!   nor taken back.
//! - `a_fork_child_is_told_so`: in a forked child each inherited object answers *unavailable, forked*, its drop does
//!   nothing, and the host may be opened anew.
//! - `exit_never_hangs`: when the process ends no new item is begun, running ones are left to the system, queued ones
//!   are leaked, nothing is joined or printed.
//!
//! # Callbacks
//!
//! - `a_callback_runs_once_and_outside_every_lock`: on success, on failure and on shutdown; never on a driver's thread;
//!   it may call this library.
//! - `a_panicking_callback_hurts_nobody`: the panic is contained and counted; the operation, other callbacks and later
//!   ones go on.
//! - `a_dropped_future_cancels_nothing`: neither the work nor who else waits for it.
//!
//! # Gates
//!
//! - `a_stream_may_wait_for_a_gate_not_yet_open`: a gate is opened once, by the host or in the order of a stream, or
//!   failed; a gate dropped unopened fails with the place where it was made; a second opening is a misuse.
//! - `a_cycle_is_named`: the known edges are stream order, waits, and gates whose opening is enqueued. The call that
//!   closes a cycle of them is refused by name and changes nothing. A gate that only the host can open is named by the
//!   report of a wait that ran out, with the host threads that wait themselves.
//!
//! # Context
//!
//! - `a_call_leaves_the_callers_device_as_it_was`: a call makes its own device current and restores the caller's, none
//!   included.
//! - `a_guard_restores_what_was_there`: nested, dropped in any order, on unwinding too.
//!
//! # Sharing
//!
//! - `an_exported_event_orders_another_process`: work of the importer that waits for it begins after the exporter's
//!   work is complete.
//! - `a_dead_peer_is_an_error_not_a_hang`: whoever waits for a process that is gone is told so.
//!
//! # Observers
//!
//! - `observers_hear_every_operation_once`: creation, record and wait after success; a synchronisation before, with a
//!   matching end; deletion once the object is gone; elided waits and queries that answered complete too. Calls come
//!   outside locks: the truth is `(timeline, value)` and the number taken under the order lock. *Raw work* is not heard
//!   of, and neither is a wait for an imported event that is complete: it has no point to name.
//! - `no_observer_no_cost`: while nobody observes, nothing is built, numbered or told.
