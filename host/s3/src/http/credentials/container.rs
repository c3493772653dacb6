use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Method;
use url::{Host, Url};

use super::{
    AccessKey, Trouble,
    ask::{ask, authority, request, secret_header},
    key_json::KeyJson,
    transport_trouble,
};
use crate::http::{environment::Environment, profile, transport};

/// Where ECS gives credentials.
const ECS: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 2);

/// Where EKS gives credentials (Pod Identity).
const EKS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

/// A token file is a few KiB.
pub(super) const MAX_TOKEN: u64 = 64 * 1024;

pub(super) const NOT_SET: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and \
    AWS_CONTAINER_CREDENTIALS_FULL_URI are not set";

/// The key of the container's role; none outside of a container that has one.
///
/// Source: [container credential provider][page].
///
/// [page]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
pub(super) async fn access_key(environment: &Environment) -> Result<Option<AccessKey>, Trouble> {
    let url = match (
        environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    ) {
        (Some(path), _) if path.starts_with('/') => format!("http://{ECS}{path}"),
        (Some(_), _) => {
            let message = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a `/`";
            return Err(Trouble::new(message));
        }
        (None, Some(url)) => url.to_owned(),
        (None, None) => return Ok(None),
    };
    let mut request = request(Method::GET, &url)?;
    if !is_trusted(&request.url) {
        return Err(Trouble::new(format!(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI names {}: over plain HTTP only this machine and \
             the addresses of ECS and EKS are asked; use https",
            authority(&request.url)
        )));
    }
    if let Some(token) = token(environment).await? {
        secret_header(&mut request, "authorization", &token)?;
    }
    let who = authority(&request.url);
    let http = transport::for_metadata().map_err(|error| transport_trouble(&error))?;
    let answer = ask(&http, request).await?;
    let what = format!("the answer of {who}");
    if !answer.status.is_success() {
        return Err(answer.trouble(&who));
    }
    KeyJson::parse(&answer.body, &what)?.into_key(&what).map(Some)
}

/// The file, which can be renewed, goes before the variable.
async fn token(environment: &Environment) -> Result<Option<String>, Trouble> {
    const FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let Some(path) = environment.get(FILE) else {
        return Ok(environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(str::to_owned));
    };
    let bytes = profile::read(path.as_ref(), MAX_TOKEN).await.map_err(|error| {
        Trouble::new(format!("{path:?}, which {FILE} names, cannot be read: {error}"))
    })?;
    Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
}

fn is_trusted(url: &Url) -> bool {
    let is_ours = |ip: IpAddr| ip.is_loopback() || ip == IpAddr::V4(ECS) || EKS.contains(&ip);
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Ipv4(ip)) => is_ours(ip.into()),
            Some(Host::Ipv6(ip)) => is_ours(ip.into()),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_and_for_aws_s_own_addresses() {
        for (url, expected) in [
            ("http://127.0.0.1:1/x", true),
            ("http://localhost/x", true),
            ("http://[::1]/x", true),
            ("http://169.254.170.2/x", true),
            ("http://169.254.170.23/x", true),
            ("http://[fd00:ec2::23]/x", true),
            ("https://anywhere.test/x", true),
            ("http://169.254.169.254/x", false),
            ("http://10.0.0.1/x", false),
            ("http://localhost.evil.test/x", false),
        ] {
            assert_eq!(is_trusted(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
