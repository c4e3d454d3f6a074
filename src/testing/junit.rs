use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use ssbuild_server::testing::{Event, Failure, Outcome};

use super::{FileResult, Linked, report};

/// The results as the XML that CI systems read.
pub fn junit(app: &str, files: &[Linked], results: &[FileResult]) -> Result<String, String> {
    let mut report = Report::new(app);
    for result in results {
        let linked = files.iter().find(|linked| linked.file.name == result.name);
        let failed = |failure: &Failure, kind| {
            let mut status = TestCaseStatus::non_success(kind);
            status.set_message(&failure.message);
            // As people read it: with the place and the line of code.
            if let Some(linked) = linked {
                let text = report::frame(linked, &result.name, failure);
                status.set_description(anstream::adapter::strip_str(&text).to_string());
            }
            status
        };
        let mut suite = TestSuite::new(&result.name);
        for event in &result.events {
            let case = match event {
                Event::Test(test) => {
                    let status = match (test.outcome, &test.failure) {
                        (Outcome::Passed, _) => TestCaseStatus::success(),
                        (Outcome::Failed, Some(failure)) => failed(failure, NonSuccessKind::Failure),
                        (Outcome::Failed, None) => TestCaseStatus::non_success(NonSuccessKind::Failure),
                        (Outcome::Skipped | Outcome::Todo, _) => TestCaseStatus::skipped(),
                    };
                    let mut case = TestCase::new(test.path.join(" › "), status);
                    case.set_classname(&result.name);
                    case.set_time(Duration::from_secs_f64(test.took_ms.max(0.0) / 1000.0));
                    case
                }
                Event::Broken(failure) | Event::Stray(failure) => {
                    TestCase::new("(the file)", failed(failure, NonSuccessKind::Error))
                }
                Event::Printed(..) | Event::ServerLog(_) => continue,
            };
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| error.to_string())
}
