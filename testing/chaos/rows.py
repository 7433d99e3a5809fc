"""What docs/reliability.md says of the tests that ``make chaos`` runs: a table for each module, a row for
each test.

A row is read without the code, so it names what happens to whom, and how that ends. A test without a row
here gets its docstring.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """``rows``: the text of a row by the name of its test."""

    title: str
    about: str
    rows: dict[str, str]


TABLES = {
    "test_faults": Table(
        "Faults of the network and of the API server",
        "The update continues and finishes by itself.",
        {
            "test_seeded_weather_on_the_sandbox": (
                "Every request meets a reset, a lost answer, a 409, a 429 or a 500 with 5 % each: the "
                "update finishes and leaves nothing behind."
            ),
            "test_each_fault_by_itself": (
                "Every kind of fault of the sections above, one after the other: the update finishes."
            ),
            "test_watches_that_deliver_nothing": (
                "A proxy holds back watches, with or without their headers: the update finishes."
            ),
            "test_the_api_server_is_restarted": (
                "The API server is killed and started again during an update: the update finishes."
            ),
            "test_a_token_expires_and_the_plugin_gives_another": (
                "The token expires after the third write (401): the credential plugin is run again, "
                "and the update continues."
            ),
        },
    ),
    "test_serving": Table(
        "A Service in front of pods that move to a Deployment and back",
        "On the real control plane. Another process looks at the Service's endpoints without pause.",
        {
            "test_a_service_keeps_its_addresses": (
                "1, 20 and 200 pods of a ReplicationController and of a DeploymentConfig, there, back and "
                "there again: no look found an address less, and the pods are the same."
            ),
        },
    ),
    "test_migration_races": Table(
        "Several clients that move the same pods to a Deployment or back",
        "Clients are stopped between deciding on a write and sending it. The pods are the same at the end, "
        "and none was ever without a controller.",
        {
            "test_the_other_direction_at_every_write": (
                "A client is stopped before each of its writes while another one returns the pods, all the "
                "way or for some writes: what the first had decided on is refused, and it stops."
            ),
            "test_two_of_the_same": (
                "Two clients move the pods the same way, one of them stopped before each of its writes: the "
                "move is finished once."
            ),
            "test_in_random_turns": (
                "Three clients, some forwards and some back, write in random turns: the last command, given "
                "once more, finishes."
            ),
            "test_beside_an_update": (
                "A move and an update begin at the same moment: one of them has the controller, and the "
                "other says so."
            ),
        },
    ),
    "test_moving": Table(
        "Pods that change owners, on the real control plane",
        "A bystander watches the pods: none may be without a controller for an instant, and none may be "
        "created or deleted but by the update. The controller manager stops for moments, again and again.",
        {
            "test_under_a_manager_that_stops_for_moments": (
                "12 pods, all replaced at once: 12 are created and 12 deleted, and the 12 new ones are moved."
            ),
            "test_killed_among_the_pods": (
                "Killed at a write of the finish; then the same command, or the rollback and the same "
                "command: floor and ceiling hold, and no pod is ever without a controller."
            ),
            "test_two_clients_in_both_directions": (
                "An update and, from some moment on, its rollback: one of the two stops, and the same "
                "command finishes."
            ),
            "test_a_controller_that_selects_the_pods_too": (
                "A controller whose selector matches the pods of the updated one: it adopts none of them."
            ),
        },
    ),
    "test_others": Table(
        "People, autoscalers and the cluster",
        "Something else changes the cluster before each write of an update.",
        {
            "test_pods_are_deleted": (
                "One pod or all pods are deleted before any write: their controllers create new ones, "
                "and the update continues."
            ),
            "test_one_of_the_two_is_scaled": (
                "Another client scales one of the two controllers before any write: the update "
                "finishes with the adjusted size and reports it."
            ),
            "test_the_new_controller_is_deleted": (
                "Another client deletes the new controller before any write: the update stops and "
                "says so; the same command starts over."
            ),
            "test_the_old_controller_is_deleted": (
                "Another client deletes the old controller before any write: the update stops and "
                "says so, or was finished but for its last writes."
            ),
            "test_the_old_template_is_edited": (
                "Another client edits the image in the old controller before any write: the update "
                "finishes with the image that it was asked for."
            ),
            "test_a_quota_stops_the_surge": (
                "A quota allows no further pod: the update stops at its timeout with the reason, and "
                "the rollback needs no further pod."
            ),
            "test_admission_refuses_a_write": (
                "An admission webhook refuses a write: the update shows the webhook's message; once "
                "the webhook allows the write, the same command finishes."
            ),
            "test_the_namespace_is_deleted": (
                "The namespace is deleted before any write: the update stops with a message and "
                "creates nothing."
            ),
        },
    ),
    "test_process_kills": Table(
        "Killed as a process",
        "Some kill points of one update on the real control plane, and of all updates on the sandbox.",
        {
            "test_the_first_update_on_the_real_control_plane": (
                "The client is killed before or after a write: the same command finishes the update, "
                "or the rollback reverts it."
            ),
            "test_a_move_on_the_real_control_plane": (
                "The client is killed before or after a write of a move to a Deployment, or back: the same "
                "command finishes it, or the rollback reverts it; the pods are the same."
            ),
            "test_evictions_on_the_real_control_plane": (
                "The client is killed before or after a write of an update with evictions under a budget, or "
                "of its rollback: the next command ends as it must, floor and ceiling hold, and no pod of "
                "the version that goes comes again."
            ),
            "test_replaced_by_a_file_on_the_real_control_plane": (
                "The client is killed as pods change owners, and another one replaces the old controller by "
                "a file: the pods stay, and the same command or the rollback ends as it must."
            ),
            "test_resumed_by_hand_on_the_real_control_plane": (
                "The client is killed as the Deployment of a move is there and paused, and another one "
                "resumes it: the pods it makes go again, the others stay, and the same command or the "
                "rollback ends as it must."
            ),
            "test_rolled_out_by_hand_on_the_real_control_plane": (
                "The client is killed once the Deployment of a move is live, and another one gives that "
                "another image: a rollback lets it be, and the commands that it tells move the new pods "
                "back."
            ),
            "test_a_sample_of_all_stories_on_the_sandbox": (
                "The client is killed at a sample of the writes of all kinds of updates: the next "
                "command ends as it must."
            ),
            "test_killed_twice": (
                "The client is killed when the new controller has released its pods, and the next "
                "client at each of its own writes: the third one finishes."
            ),
        },
    ),
    "test_races": Table(
        "Several clients at the same time",
        "Clients of the same controller run at the same time, in many orders of their writes.",
        {
            "test_two_clients_in_every_order": (
                "Two clients are stopped before each of their writes and continued in turn: the "
                "controller ends updated or rolled back as a whole, and the floor holds."
            ),
            "test_a_third_client_in_the_finish": (
                "Two clients of opposite directions have each decided on a write, and a third client "
                "runs: the controller ends updated or rolled back as a whole."
            ),
            "test_clients_in_random_order": (
                "Two to four clients, some forwards and some back, of every kind of update, run in "
                "random order: the controller ends updated or rolled back as a whole."
            ),
            "test_races_that_were_lost_once": (
                "Races that an earlier version lost, such as two clients that finish in the same moment."
            ),
            "test_the_new_controller_comes_into_being_between_the_look_and_the_question": (
                "Another client with the same command creates the new controller some milliseconds "
                "earlier: this client joins the update."
            ),
            "test_an_update_that_comes_too_late_makes_nothing_anew": (
                "Another client finishes the update before this one creates the new controller: this "
                "client creates nothing."
            ),
        },
    ),
    "test_rights": Table(
        "Rights",
        "The Role of docs/rbac.yaml is enough, and each of its rules is needed.",
        {
            "test_every_story_as_a_user_with_just_that_role": (
                "A user with that Role runs every kind of update and of rollback: no request is refused."
            ),
            "test_a_migration_there_and_back_and_from_the_middle": (
                "A user with the Role of docs/rbac-migration.yaml, or with those of its rules that are not "
                "optional, moves pods to a Deployment and back: no request is refused."
            ),
            "test_each_right_that_a_migration_misses_is_named_before_anything_is_written": (
                "A right is missing when a move to a Deployment begins: it changes nothing, and names the "
                "right."
            ),
            "test_a_dry_run_of_a_migration_only_looks": (
                "A user with the Role that is printed for a dry run of a move: no request is refused."
            ),
            "test_a_missing_right_is_named_before_anything_is_written": (
                "A right is missing when the update begins: the update changes nothing and names the "
                "rule to add."
            ),
            "test_a_right_missed_half_way": (
                "A right is missing during an update: the update stops and names the rule; with the "
                "rule, the same command finishes."
            ),
            "test_pods_that_may_not_be_moved": (
                "Without the right to patch pods the pods are released and adopted, and the rule is named."
            ),
            "test_pods_that_another_controller_would_adopt": (
                "Pods that cannot be moved, and another controller that selects them: it is named, and no "
                "pod is released; with the right the same command finishes."
            ),
            "test_without_the_right_to_keep_a_history": (
                "The right to keep revisions is missing: the update finishes, and one line names the "
                "rule to add."
            ),
            "test_a_history_only_looks": "`--history` needs the smaller Role only.",
            "test_rights_that_are_only_for_telling_why": (
                "A right to read logs, events or pods is missing: the update explains less, stops and "
                "is rolled back as with it."
            ),
            "test_pods_that_may_not_be_looked_at": (
                "The pods may not be listed: their template is taken for what they run, and `-v=2` says so."
            ),
            "test_a_disruption_budget_that_may_not_be_read": (
                "The right to list PodDisruptionBudgets is missing: the update continues without a warning."
            ),
            "test_a_dry_run_only_looks": "`--dry-run` needs the smaller Role only.",
        },
    ),
    "test_secrets": Table(
        "Secrets",
        "Planted secrets are searched for in all output, at every verbosity.",
        {
            "test_whoever_one_is": (
                "Tokens, passwords, keys and credential plugins, right and wrong: no output contains "
                "them, whether the command succeeds or is refused."
            ),
            "test_what_the_server_refuses": "The server answers 401: no output contains the credentials.",
            "test_passwords_in_addresses": (
                "The address of a proxy, a server or a file has a password: nothing is reached, and "
                "the message names the address without it."
            ),
            "test_the_command_that_continues": (
                "An update stops half way: the command to resume it is printed without the token."
            ),
        },
    ),
    "test_signals": Table(
        "Signals, closed pipes, full disks, no terminal",
        "The command stops between two writes and says how to resume.",
        {
            "test_a_signal_in_the_middle_of_a_write": (
                "A signal arrives during a write: the command waits for the answer, reports the sizes "
                "of the controllers and ends with status 130."
            ),
            "test_a_signal_while_it_waits": (
                "A signal arrives while no write is in flight: the command ends at once."
            ),
            "test_a_hangup_is_ignored_under_nohup": (
                "A signal that was ignored when the command started stays ignored, as under nohup: "
                "the update finishes."
            ),
            "test_a_second_signal_does_not_wait": (
                "The server does not answer the write in flight: a second Ctrl-C ends the command all "
                "the same."
            ),
            "test_a_signal_before_anything_was_written": (
                "A signal arrives before the first write: the command says that nothing was changed, "
                "and prints no command to resume."
            ),
            "test_the_reader_of_a_pipe_goes_away": (
                "The reader of a pipe ends (`| head -1`): the command stops, says so on standard "
                "error, and the update can be resumed."
            ),
            "test_a_full_disk": "The progress cannot be written to a full disk: the update stops.",
            "test_both_streams_closed": (
                "Standard output and standard error are closed: the command prints no traceback, and "
                "the same command resumes."
            ),
            "test_no_terminal_and_no_standard_streams": (
                "A daemon runs the command in a session of its own, with standard input closed: the "
                "update finishes."
            ),
        },
    ),
    "test_begun_at_once": Table(
        "Two updates begun at the same moment",
        "Two commands as processes, 0 to 300 ms apart, on the sandbox and on the real control plane; a watch "
        "counts the pods.",
        {
            "test_two_images": (
                "Two images: one update finishes, the other command ends with status 1 and leaves nothing."
            ),
            "test_against_supersede": (
                "An update and `--supersede`: the third version is left, and nothing of the second."
            ),
            "test_against_a_rollback": (
                "An update and a rollback: one of the two versions is left, whole, and the update, run "
                "again, finishes."
            ),
        },
    ),
    "test_kills": Table(
        "Killed at every write, in process",
        "The client is killed at every write of every kind of update, before and after it took effect.",
        {
            "test_killed_at_every_write_and_continued": (
                "The same command runs after the kill: it finishes the update."
            ),
            "test_killed_at_every_write_and_rolled_back": (
                "The rollback runs after the kill: it reverts everything, labels included, except "
                "after the very last write."
            ),
            "test_killed_twice": (
                "The second client is killed as well, at each of its writes: the third one finishes."
            ),
            "test_killed_rolled_back_killed_and_continued": (
                "The update, its rollback and the update again are killed in turn: the cluster ends "
                "as the last command asked for."
            ),
        },
    ),
    "test_properties": Table(
        "Floor and ceiling in random runs",
        "Random clusters, latencies and budgets, and clients that are killed and change direction.",
        {
            "test_promises_hold_and_it_ends_clean": (
                "Clients are killed and change direction at random: floor and ceiling hold at every "
                "moment, and the cluster ends as the last command asked for."
            ),
        },
    ),
    "test_superseding": Table(
        "A third version during an update",
        "`--supersede`: the two older versions are scaled down together, within floor and ceiling.",
        {
            "test_at_any_moment_of_the_update_in_progress": (
                "The third version supersedes the second at any write: only the third is left, and no "
                "trace of the second."
            ),
            "test_without_the_flag_it_is_refused_in_the_documented_words": (
                "The third version is asked for without `--supersede`: the command is refused and "
                "changes nothing."
            ),
            "test_pods_that_never_got_ready_do_not_hold_it_up": (
                "The pods of the second version never become ready: they are removed first, and the "
                "third version finishes."
            ),
            "test_a_file_takes_the_place_of_an_image_and_the_other_way_round": (
                "A file supersedes an image update: the file's name is left. An image update "
                "supersedes a file: the old name is left."
            ),
            "test_a_file_that_selects_the_pods_of_the_second_is_refused": (
                "A file selects the pods of the second version: the command is refused."
            ),
            "test_in_the_finish_it_is_too_late": (
                "The second update is transferring the ownership of its pods: superseding it is "
                "refused, and the message says to finish it first."
            ),
            "test_superseded_twice_and_back_to_the_second": (
                "Versions 2, 3, 4 and again 2 supersede each other: the last one is left."
            ),
            "test_the_client_of_the_second_stops": (
                "The client of the second update runs on: it stops with status 3 and writes nothing "
                "that does harm."
            ),
            "test_the_client_of_the_second_goes_on_in_the_middle": (
                "The third update is begun while the client of the second waits to write: the client "
                "of the second stops."
            ),
            "test_what_others_have_scaled_meanwhile_is_kept": (
                "Another client scaled the second update up by two pods: the third update keeps that size."
            ),
            "test_killed_at_every_write_and_continued": (
                "The superseding client is killed at every write: the same command finishes, with or "
                "without `--supersede`."
            ),
            "test_killed_at_every_write_and_rolled_back": (
                "The superseding client is killed at every write: the rollback returns to the first version."
            ),
            "test_killed_twice": (
                "The superseding client and the one after it are killed, in either direction: the "
                "last command finishes."
            ),
            "test_a_rollback_of_an_update_that_was_to_be_superseded_is_turned_round": (
                "The third update never created its controller, and the rollback of the second is "
                "killed: the second update, run again, finishes."
            ),
            "test_a_rollback_goes_on_though_a_newer_update_had_marked_it": (
                "A rollback is killed, then a newer update: the rollback, run again, finishes and "
                "leaves no trace of either update."
            ),
            "test_promises_hold_whatever_is_asked_for_in_between": (
                "Any number of versions and rollbacks, killed at random: floor and ceiling hold at "
                "every moment, and the last command finishes."
            ),
        },
    ),
}
