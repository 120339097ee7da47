"""Why a run was no exact hit: each cause has its words, and something to do."""

from __future__ import annotations

import dataclasses

import pytest

from go_prefetch.errors import ChecksumMismatch, notice
from go_prefetch.model.results import Completed, Rejection, Restored, Saved
from go_prefetch.render.miss_reasons import why_not_exact
from tests.support.fakes.reports import POOL, A, B, downloaded, files_of, plan, report
from tests.support.fakes.summaries import ALL

CASES = {
    "job_partial": (["the file go.sum has changed since the matched entry was saved: 1 upgraded"], "Nothing to do"),
    "job_miss": (["this is the first run, or the entry was evicted"], "Nothing to do"),
    "job_no_store": (["the store was not read: `store` is none"], "Remove `store: none`"),
    "job_store_failure": (["could not be reached (store-unreachable)"], "use another store"),
    "job_damaged_entry": (["damaged or gone (store-damaged)"], "A new one is saved"),
    "job_rejected": (["Go rejected 1 file from the store"], "another `cache-name`"),
    "job_proxy_failure": (
        ["the proxies did not deliver 3 files, for example github.com/cespare/xxhash/v2@v2.3.0"],
        "Add another",
    ),
    "job_matrix": (["this is the first run"], "Not saved: another job saves this entry"),
    "disabled": (["requires no modules"], ""),
}


@pytest.mark.parametrize(("name", "texts", "advice"), [(name, *case) for name, case in CASES.items()], ids=CASES)
def test_a_cause_has_words_and_advice(name: str, texts: list[str], advice: str) -> None:
    reasons = why_not_exact(ALL[name])
    assert len(reasons) == len(texts)
    assert all(text in reason.text for text, reason in zip(texts, reasons, strict=True))
    assert advice in reasons[0].advice


@pytest.mark.parametrize("name", [name for name in ALL if ALL[name].cache_result in ("exact", "present")])
def test_an_exact_hit_needs_no_reason(name: str) -> None:
    assert why_not_exact(ALL[name]) == ()


@pytest.mark.parametrize("name", [name for name in ALL if ALL[name].cache_result in ("partial", "miss")])
def test_everything_else_has_one(name: str) -> None:
    """Unless the run failed for another cause, which its error tells."""
    assert why_not_exact(ALL[name]) or ALL[name].completed.failure


def test_what_could_not_be_saved_is_said() -> None:
    (reason,) = why_not_exact(report(plan(A), saved=Saved(skipped_reason=notice("save-disabled"))))
    assert reason.advice == "Not saved: `save` is false."


def test_private_modules_only_names_the_variable_and_way_out() -> None:
    (reason,) = why_not_exact(report(plan(A, B, private=[A, B])))
    assert reason.text == "none of the missing modules may be saved"
    assert reason.advice.startswith("Not saved: 2 modules match GOPRIVATE. Set `save-private: true`")


def test_why_not_exact_two_causes_names_both() -> None:
    login = downloaded(*files_of(A), credentialed=files_of(A))
    (reason,) = why_not_exact(report(plan(A, B, private=[B]), downloaded=login))
    assert "1 module matches GOPRIVATE; a proxy required a login for 1 module." in reason.advice


def test_why_not_exact_no_hash_in_go_sum_advises_go_mod_tidy() -> None:
    (reason,) = why_not_exact(report(dataclasses.replace(plan(), without_sum=frozenset({A, B}))))
    assert reason.text == "go.sum has no hash of 2 modules that Go needs"
    assert "go mod tidy" in reason.advice


def test_why_not_exact_full_store_and_no_hash_names_go_sum() -> None:
    """The store has all files of the plan, so it lacks none."""
    lacking = dataclasses.replace(plan(A), without_sum=frozenset({B}))
    (reason,) = why_not_exact(report(lacking, restored=Restored("pool", files=frozenset(files_of(A)))))
    assert reason.text == "go.sum has no hash of 1 module that Go needs"


def test_a_wrong_go_sum_is_not_put_down_to_the_store() -> None:
    """Another `cache-name` mends nothing where what the proxies have is rejected too."""
    file = next(iter(files_of(A)))
    mismatch = ChecksumMismatch("checksum-mismatch", module_file="x", sources=("y",), stderr="")
    completed = Completed(rejected=(Rejection(file, POOL, "checksum mismatch"),), failure=mismatch)
    (reason,) = why_not_exact(report(plan(A), restored=Restored(POOL, files=frozenset({file})), completed=completed))
    assert "cache-name" not in reason.advice
    assert "not the store" in reason.advice


def test_a_filled_folder_is_no_store_that_evicts() -> None:
    """What `fill` brings stays in its folder: there is nothing to save and nothing to do."""
    (reason,) = why_not_exact(
        report(plan(A), restored=Restored("folder /proxy"), saved=Saved(skipped_reason=notice("fill-keeps-folder")))
    )
    assert (reason.text, reason.advice) == ("the folder had none of the files", "Nothing to do. It has them now.")
