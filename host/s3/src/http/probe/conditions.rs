use super::{
    Checks, Place, Tried, Verdict,
    place::{FIRST, SECOND},
    verdict::{refusal, unless_held_back},
};
use crate::{Feature, GetOptions, ObjectInfo, PutOptions, S3Error, S3ErrorKind, WriteCondition};

/// The etag of no object here.
pub(super) const OTHER_ETAG: &str = "00000000000000000000000000000000";

/// The answer that a condition on a write must have.
const HELD_BACK: S3ErrorKind = S3ErrorKind::PreconditionFailed;

const NO_ETAG: &str = "not tried: the service gives no etag";

impl Place {
    /// What happens, and what does not, when a condition does not hold.
    pub(super) async fn conditions(&self, checks: &mut Checks) {
        checks.of(Feature::IfAbsent, self.if_absent()).await;
        checks.of(Feature::IfMatch, self.if_match()).await;
        checks.of(Feature::ConditionalCopy, self.conditional_copy()).await;
        checks.of(Feature::ConditionalGet, self.conditional_get()).await;
        checks.of(Feature::ConditionalDelete, self.conditional_delete()).await;
    }

    async fn put_if(
        &self,
        name: &str,
        text: &'static str,
        condition: WriteCondition,
    ) -> Result<ObjectInfo, S3Error> {
        self.put(name, text, &PutOptions { condition, ..PutOptions::default() }).await
    }

    async fn if_absent(&self) -> Tried {
        if let Err(error) = self.put_if("if-absent", FIRST, WriteCondition::IfAbsent).await {
            return refusal(error);
        }
        let again = self.put_if("if-absent", SECOND, WriteCondition::IfAbsent).await;
        let ignored = "If-None-Match: * on a put writes over what is there, and reports success";
        if let Some(verdict) = unless_held_back(again, HELD_BACK, ignored)? {
            return Ok(verdict);
        }
        Ok(if self.holds("if-absent", FIRST).await? {
            Verdict::ok("a put with If-None-Match: * leaves what is there as it is")
        } else {
            Verdict::ignored(
                "If-None-Match: * on a put reports a conflict, and writes all the same",
            )
        })
    }

    async fn if_match(&self) -> Tried {
        let Some(etag) = self.put("if-match", FIRST, &PutOptions::default()).await?.etag else {
            return Ok(Verdict::wrong(NO_ETAG));
        };
        let other = WriteCondition::IfMatch(OTHER_ETAG.to_owned());
        let held_back = self.put_if("if-match", SECOND, other).await;
        let ignored = "If-Match on a put writes over any object, and reports success";
        if let Some(verdict) = unless_held_back(held_back, HELD_BACK, ignored)? {
            return Ok(verdict);
        }
        if !self.holds("if-match", FIRST).await? {
            let message = "If-Match on a put reports a conflict, and writes all the same";
            return Ok(Verdict::ignored(message));
        }
        if let Err(error) = self.put_if("if-match", SECOND, WriteCondition::IfMatch(etag)).await {
            return refusal(error);
        }
        Ok(Verdict::ok("a put with If-Match writes over the object of that etag only"))
    }

    async fn conditional_copy(&self) -> Tried {
        let always = PutOptions::default();
        self.put("from", FIRST, &always).await?;
        self.put("to", SECOND, &always).await?;
        let if_absent = PutOptions { condition: WriteCondition::IfAbsent, ..always };
        let held_back = self.copy("from", "to", &if_absent).await;
        let ignored = "If-None-Match: * on a copy writes over what is there, and reports success";
        if let Some(verdict) = unless_held_back(held_back, HELD_BACK, ignored)? {
            return Ok(verdict);
        }
        let condition = WriteCondition::IfMatch(OTHER_ETAG.to_owned());
        let if_match = PutOptions { condition, ..PutOptions::default() };
        let held_back = self.copy("from", "to", &if_match).await;
        let ignored = "If-Match on a copy writes over any object, and reports success";
        if let Some(verdict) = unless_held_back(held_back, HELD_BACK, ignored)? {
            return Ok(verdict);
        }
        Ok(if self.holds("to", SECOND).await? {
            Verdict::ok("If-None-Match: * and If-Match hold a copy back")
        } else {
            Verdict::ignored("a copy reports a conflict, and writes all the same")
        })
    }

    async fn conditional_get(&self) -> Tried {
        let Some(etag) = self.put("read", FIRST, &PutOptions::default()).await?.etag else {
            return Ok(Verdict::wrong(NO_ETAG));
        };
        let other = Some(OTHER_ETAG.to_owned());
        let options = GetOptions { if_match: other, ..GetOptions::default() };
        let changed = self.get("read", &options).await;
        let ignored = "If-Match on a get reads any object";
        if let Some(verdict) = unless_held_back(changed, HELD_BACK, ignored)? {
            return Ok(verdict);
        }
        let options = GetOptions { if_none_match: Some(etag), ..GetOptions::default() };
        let current = self.get("read", &options).await;
        let ignored = "If-None-Match on a get reads what has not changed";
        let verdict = unless_held_back(current, S3ErrorKind::NotModified, ignored)?;
        Ok(verdict.unwrap_or_else(|| Verdict::ok("If-Match and If-None-Match hold a get back")))
    }

    async fn conditional_delete(&self) -> Tried {
        let Some(etag) = self.put("delete", FIRST, &PutOptions::default()).await?.etag else {
            return Ok(Verdict::wrong(NO_ETAG));
        };
        let held_back = self.delete("delete", Some(OTHER_ETAG)).await;
        let ignored = "If-Match on a delete removes any object, and reports success";
        if let Some(verdict) = unless_held_back(held_back, HELD_BACK, ignored)? {
            return Ok(verdict);
        }
        if self.is_gone("delete").await? {
            let message = "If-Match on a delete reports a conflict, and deletes all the same";
            return Ok(Verdict::ignored(message));
        }
        if let Err(error) = self.delete("delete", Some(&etag)).await {
            return refusal(error);
        }
        Ok(Verdict::ok("a delete with If-Match removes the object of that etag only"))
    }
}
