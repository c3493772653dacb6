//! Refusals that the client can set right itself, and the limits to trying again.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::time::{Duration, SystemTime};

use artifact_s3::{
    DeleteOptions, GetOptions, HttpS3, RetryPolicy, S3Client, S3Error, S3ErrorKind as Kind,
};
use support::{Act, Server, answer, bucket, error, key, ok};

async fn delete(s3: &HttpS3) -> Result<(), S3Error> {
    s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await
}

async fn head(s3: &HttpS3) -> Result<(), S3Error> {
    s3.head_object(&bucket(), &key("k"), &GetOptions::default()).await.map(drop)
}

/// An answer with an error in it, and headers besides.
fn refusal(status: &str, headers: &[(&str, &str)], code: &str) -> Act {
    answer(status, headers, &format!("<Error><Code>{code}</Code><Message>m</Message></Error>"))
}

fn signed_for(seen: &support::Seen) -> String {
    let authorization = seen.header("authorization").unwrap();
    authorization.split('/').nth(2).unwrap().to_owned()
}

#[tokio::test]
async fn a_wrong_region_is_set_right_once_and_remembered() {
    let region = [("x-amz-bucket-region", "eu-other-9")];
    for refusal in [
        refusal("400 Bad Request", &region, "AuthorizationHeaderMalformed"),
        refusal("301 Moved Permanently", &region, "PermanentRedirect"),
        // A HEAD has no body that could say more.
        answer("400 Bad Request", &region, ""),
        answer("307 Temporary Redirect", &region, ""),
    ] {
        let server = Server::start([refusal, ok(), ok()]).await;
        let s3 = server.client().await;
        delete(&s3).await.unwrap();
        delete(&s3).await.unwrap();
        let regions: Vec<String> = server.requests().iter().map(signed_for).collect();
        assert_eq!(regions, [s3.region(), "eu-other-9", "eu-other-9"]);
    }
}

#[tokio::test]
async fn another_endpoint_is_followed_and_signed_anew() {
    let there = Server::start([ok(), ok()]).await;
    let location = format!("http://127.0.0.1:{}/test-bucket/k", there.port);
    let moved = answer("307 Temporary Redirect", &[("Location", &location)], "");
    let here = Server::start([moved]).await;
    let s3 = here.client().await;
    delete(&s3).await.unwrap();
    delete(&s3).await.unwrap();
    assert_eq!((here.requests().len(), there.requests().len()), (1, 2));
    let host = format!("127.0.0.1:{}", there.port);
    assert_eq!(there.requests()[0].header("host"), Some(host));
    assert_eq!(there.requests()[0].line(), "DELETE /test-bucket/k");
}

#[tokio::test]
async fn a_redirect_to_where_nobody_answers_any_more_is_forgotten() {
    let nobody = support::nobody::Nobody::new();
    let moved = || {
        let location = format!("{}/test-bucket/k", nobody.endpoint());
        answer("307 Temporary Redirect", &[("Location", &location)], "")
    };
    // The second time the service says that it is there, it is wrong as well.
    let server = Server::start([moved(), moved(), ok(), ok()]).await;
    let s3 = server.client().await;
    delete(&s3).await.unwrap();
    delete(&s3).await.unwrap();
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_redirect_that_leads_on_is_followed_once_and_named() {
    let to = |region| answer("301 Moved Permanently", &[("x-amz-bucket-region", region)], "");
    let server = Server::start([to("eu-a-1"), to("eu-b-1"), to("eu-a-1")]).await;
    let failed = delete(&server.client().await).await.unwrap_err();
    assert_eq!(server.requests().len(), 2);
    assert_eq!(failed.redirect().unwrap().region.as_deref(), Some("eu-b-1"));
    assert!(failed.to_string().contains("is in region \"eu-b-1\""), "{failed}");
    // One that leads nowhere else is not followed at all.
    let server = Server::start([answer("301 Moved Permanently", &[], "")]).await;
    let failed = delete(&server.client().await).await.unwrap_err();
    assert_eq!((server.requests().len(), failed.kind()), (1, Kind::Service));
}

fn in_about_an_hour() -> String {
    httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3_590))
}

#[tokio::test]
async fn a_clock_that_is_off_by_an_hour_is_corrected_once() {
    let date = in_about_an_hour();
    let skewed = || refusal("403 Forbidden", &[("Date", &date)], "RequestTimeTooSkewed");
    let server = Server::start([skewed(), ok(), ok()]).await;
    let s3 = server.client().await;
    delete(&s3).await.unwrap();
    assert!((3_500..3_600).contains(&s3.clock_skew()), "{}", s3.clock_skew());
    let hours: Vec<String> = server
        .requests()
        .iter()
        .map(|seen| seen.header("x-amz-date").unwrap()[9..11].to_owned())
        .collect();
    assert_ne!(hours[0], hours[1], "the second is signed an hour later");

    let server = Server::start([skewed(), skewed(), skewed()]).await;
    let failed = delete(&server.client().await).await.unwrap_err();
    assert_eq!((server.requests().len(), failed.kind()), (2, Kind::AccessDenied));
    assert!(failed.to_string().contains("clock is 35"), "{failed}");
    assert!(failed.to_string().contains(" s behind the service's"), "{failed}");
}

#[tokio::test]
async fn a_correction_ends_when_the_machine_is_set_right() {
    // First the machine is an hour behind the service, and then it is right.
    let (later, now) = (in_about_an_hour(), httpdate::fmt_http_date(SystemTime::now()));
    let skewed = |date: &str| refusal("403 Forbidden", &[("Date", date)], "RequestTimeTooSkewed");
    let denied = || refusal("403 Forbidden", &[("Date", &later)], "AccessDenied");
    let set_right = [
        skewed(&now),
        // A HEAD gives no code, and its date tells.
        answer("403 Forbidden", &[("Date", &now)], ""),
    ];
    for refused in set_right {
        let stored = answer("200 OK", &[("Date", &later), ("ETag", "\"e\"")], "");
        let server = Server::start([skewed(&later), stored, denied(), refused, ok(), ok()]).await;
        let s3 = server.client().await;
        delete(&s3).await.unwrap();
        // What is refused for another reason is asked once, and not blamed on the clock.
        let failed = delete(&s3).await.unwrap_err();
        assert_eq!((server.requests().len(), failed.attempts()), (3, 1));
        assert!(!failed.to_string().contains("clock"), "{failed}");
        head(&s3).await.unwrap();
        assert_eq!(server.requests().len(), 5);
        head(&s3).await.unwrap();
        let dates: Vec<String> = server
            .requests()
            .iter()
            .map(|seen| seen.header("x-amz-date").unwrap()[..11].to_owned())
            .collect();
        assert_ne!(dates[0], dates[1], "signed an hour later");
        assert_eq!(dates[1], dates[3]);
        assert_eq!([&dates[0]; 2], [&dates[4], &dates[5]], "signed by the machine's clock");
    }
}

#[tokio::test]
async fn a_refused_head_gives_no_code_and_its_date_tells() {
    let date = in_about_an_hour();
    let forbidden = answer("403 Forbidden", &[("Date", &date)], "");
    let described = answer("200 OK", &[("Date", &date), ("ETag", "\"e\"")], "");
    let server = Server::start([forbidden, described]).await;
    head(&server.client().await).await.unwrap();
    // Where the clocks agree, it is what it says.
    let date = httpdate::fmt_http_date(SystemTime::now());
    let server = Server::start([answer("403 Forbidden", &[("Date", &date)], "")]).await;
    let failed = head(&server.client().await).await.unwrap_err();
    assert_eq!((server.requests().len(), failed.kind()), (1, Kind::AccessDenied));
    assert!(!failed.to_string().contains("clock"), "{failed}");
}

#[tokio::test]
async fn a_broken_service_is_not_hammered() {
    let server = Server::start((0..100).map(|_| error("503 Slow Down", "SlowDown"))).await;
    let retry = RetryPolicy { budget: 30, ..support::quick() };
    let s3 = server.builder().retry(retry).build().await.unwrap();
    let mut attempts = Vec::new();
    for _ in 0..5 {
        attempts.push(delete(&s3).await.unwrap_err().attempts());
    }
    // 30 are 6 further tries at 5 each.
    assert_eq!(attempts, [4, 4, 1, 1, 1]);
    let failed = delete(&s3).await.unwrap_err();
    assert!(failed.to_string().contains("too many calls of this client failed"), "{failed}");
}

#[tokio::test]
async fn a_call_ends_at_its_limit_and_tells_what_the_last_try_met() {
    let server = Server::start([error("503 Slow Down", "SlowDown"), Act::Silence]).await;
    let limit = Duration::from_secs(2);
    let s3 = server.builder().retry(support::quick()).call_timeout(limit);
    let failed = delete(&s3.build().await.unwrap()).await.unwrap_err();
    assert_eq!((failed.kind(), failed.attempts()), (Kind::Timeout, 2));
    assert!(failed.elapsed().unwrap() >= limit);
    let cause = std::error::Error::source(&failed).unwrap().to_string();
    assert!(cause.contains("SlowDown"), "{cause}");
}

#[tokio::test]
async fn a_try_ends_at_its_limit_and_is_made_again() {
    let server = Server::start([Act::Silence, ok()]).await;
    let s3 = server.builder().retry(support::quick()).attempt_timeout(Duration::from_secs(2));
    delete(&s3.build().await.unwrap()).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_pause_that_outlasts_the_call_is_not_made() {
    let busy = || answer("503 Slow Down", &[("Retry-After", "20")], "");
    let server = Server::start([busy(), ok()]).await;
    let s3 = server.builder().retry(support::quick()).call_timeout(Duration::from_secs(5));
    let failed = delete(&s3.build().await.unwrap()).await.unwrap_err();
    assert_eq!((failed.kind(), failed.attempts()), (Kind::Throttled, 1));
    assert!(failed.elapsed().unwrap() < Duration::from_secs(4));
}
