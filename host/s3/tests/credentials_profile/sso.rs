use crate::{
    home::{HIDDEN, Home, LATE},
    support::{Act, Server, answer},
};

const SSO: &str = "[profile dev]\nsso_session = corp\nsso_account_id = 123\nsso_role_name = Reader\n\
                   [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.test/start\n";

fn token(expiry: &str) -> String {
    format!(r#"{{"startUrl":"u","accessToken":"{HIDDEN}","expiresAt":"{expiry}","region":"r"}}"#)
}

fn role_credentials() -> Act {
    let body = format!(
        r#"{{"roleCredentials":{{"accessKeyId":"S","secretAccessKey":"{HIDDEN}",
            "sessionToken":"t","expiration":4070908800000}}}}"#
    );
    answer("200 OK", &[], &body)
}

/// Where `aws sso login` keeps the token of a session.
fn cached(session: &str) -> String {
    use sha1::{Digest, Sha1};
    let name = base16ct::lower::encode_string(&Sha1::digest(session));
    format!(".aws/sso/cache/{name}.json")
}

#[tokio::test]
async fn an_sso_session_gives_the_role_s_key() {
    let legacy = "[profile dev]\nsso_start_url = https://corp.test/start\nsso_region = eu-west-1\n\
                  sso_account_id = 123\nsso_role_name = Reader\n";
    for (config, session) in [(SSO, "corp"), (legacy, "https://corp.test/start")] {
        let mut home = Home::new(config).await.set("AWS_PROFILE", "dev");
        home.sso = Server::start([role_credentials()]).await;
        home.write(&cached(session), &token(LATE));
        let (signs, source) = home.call().await.unwrap();
        assert_eq!(signs, "S");
        assert_eq!(source, format!("profile \"dev\" by sso, until {LATE}"));
        let asked = home.sso.only();
        assert_eq!(asked.line(), "GET /federation/credentials?role_name=Reader&account_id=123");
        assert_eq!(asked.header("x-amz-sso_bearer_token").as_deref(), Some(HIDDEN));
    }
}

#[tokio::test]
async fn an_sso_session_that_is_over_says_how_to_begin_one() {
    const LOGIN: &str = "run `aws sso login --profile dev`";
    let file = |text: &str| Some(text.to_owned());
    for (token, act, expected) in [
        (None, None, "the token of SSO session \"corp\" is not in ~/.aws/sso/cache/".into()),
        (
            file(&token("2020-01-01T00:00:00Z")),
            None,
            format!("\"corp\" expired at 2020-01-01T00:00:00Z; {LOGIN}"),
        ),
        (
            file(&token(LATE)),
            Some(answer("401 Unauthorized", &[], HIDDEN)),
            format!("\"corp\" is no longer valid; {LOGIN}"),
        ),
        (
            file(&token(LATE)),
            Some(answer("403 Forbidden", &[], "")),
            "answered HTTP 403: who is logged in may not have role \"Reader\" in account 123"
                .into(),
        ),
        (
            file(&token(LATE)),
            Some(answer("200 OK", &[], HIDDEN)),
            "the answer of SSO at http://127.0.0.1:".into(),
        ),
        (file(HIDDEN), None, "is not the JSON that it should be".into()),
        (file(&token(HIDDEN)), None, "expiresAt that is no time".into()),
    ] {
        let mut home = Home::new(SSO).await.set("AWS_PROFILE", "dev");
        home.sso = Server::start(act.clone()).await;
        if let Some(token) = token {
            home.write(&cached("corp"), &token);
        }
        let message = home.refusal().await;
        assert!(message.contains(&expected), "{message}");
        assert_eq!(home.sso.requests().len(), usize::from(act.is_some()));
    }
}
