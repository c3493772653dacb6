use artifact_store::{
    ArtifactStore, CodeCache, Compiler, Limits, Sandbox, StoreComponent,
    s3::{Addressing as S3Addressing, ConfigError, Credentials, HttpS3, Multipart},
};

use crate::{
    environment::Environment,
    failure::Failure,
    settings::{Addressing, Origin, Settings},
};

/// Starts the store that the settings describe.
pub async fn store(
    settings: &Settings,
    env: &Environment,
    client: HttpS3,
) -> Result<ArtifactStore, Failure> {
    let mut store = ArtifactStore::builder().bucket(settings.bucket()?).client(client);
    store = store.sandbox(sandbox(settings, env)?);
    if let Some(prefix) = &settings.prefix {
        store = store.prefix(&prefix.value);
    }
    if let Some(timeout) = &settings.timeout {
        store = store.deadline(timeout.value.0);
    }
    if let Some(component) = &settings.component {
        store = store.component(StoreComponent::from_file(&component.value).await?);
    }
    if let Some(chain) = &settings.chain {
        store = chain.value.build(store).await?;
    }
    Ok(store.start().await?)
}

/// Where components run. What is from elsewhere is compiled by this program in a process
/// of its own.
pub fn sandbox(settings: &Settings, env: &Environment) -> Result<Sandbox, Failure> {
    let mut compiler = Compiler::this_program().map_err(|error| {
        Failure::config("this program cannot find itself, which is to compile components")
            .caused_by(error)
    })?;
    if let Some(dir) = settings.cache_dir(env) {
        compiler = compiler.cache(CodeCache::new(dir));
    }
    // Room for many calls is set up before the first one, which costs more than all else
    // that this program does until then. It makes few at a time.
    let limits = Limits { concurrent_calls: 100, ..Limits::default() };
    Ok(Sandbox::with_compiler(limits, compiler)?)
}

/// The S3 client that the settings and AWS's own variables describe.
pub async fn client(settings: &Settings, env: &Environment) -> Result<HttpS3, Failure> {
    let mut client = HttpS3::builder().environment(env.variables().clone());
    if let Some(endpoint) = &settings.endpoint {
        client = client.endpoint(&endpoint.value);
    }
    if let Some(region) = &settings.region {
        client = client.region(&region.value);
    }
    if let Some(addressing) = &settings.addressing {
        client = client.addressing(match addressing.value {
            Addressing::PathStyle => S3Addressing::PathStyle,
            Addressing::VirtualHost => S3Addressing::VirtualHost,
        });
    }
    // What `AWS_PROFILE` says the client reads itself: it stands behind AWS's other variables.
    let of_aws = Origin::Variable("AWS_PROFILE");
    if let Some(profile) = settings.profile.as_ref().filter(|profile| profile.origin != of_aws) {
        client = client.profile(&profile.value);
    }
    if settings.part_size.is_some() || settings.parallel.is_some() {
        let mut multipart = Multipart::default();
        if let Some(size) = &settings.part_size {
            multipart.part_size = size.value.0;
            // What fits into one part need not go in parts.
            multipart.threshold = multipart.threshold.max(size.value.0);
        }
        if let Some(parallel) = &settings.parallel {
            multipart.parallel = parallel.value;
        }
        client = client.multipart(multipart);
    }
    if let Some(checksum) = &settings.upload_checksum {
        client = client.upload_checksum(checksum.value.0);
    }
    if settings.is_anonymous() {
        client = client.credentials(Credentials::Anonymous);
    }
    let plain = client.clone().build().await.map_err(unusable)?;
    // Under which endpoint something was found out, only a client can say.
    let known = settings.bucket.as_ref().zip(settings.findings(env));
    match known.and_then(|(bucket, findings)| findings.of(&plain.endpoint(), &bucket.value)) {
        Some(known) => client.capabilities(known).build().await.map_err(unusable),
        None => Ok(plain),
    }
}

fn unusable(error: ConfigError) -> Failure {
    match error {
        ConfigError::NoRegion => Failure::config(
            "no region, and AWS needs one: give --region NAME, set ARTIFACTS_REGION or AWS_REGION, \
             or write `region = \"NAME\"` into artifacts.toml; for another service, give --endpoint",
        ),
        error => Failure::config(error.to_string()).caused_by(error),
    }
}
