use super::{
    Checks, Place, Tried, Verdict,
    place::{FIRST, SECOND},
    verdict::refusal,
};
use crate::{ByteRange, Feature, GetOptions, ListOptions, PutOptions, S3Client, S3ErrorKind};

/// What HTTP, XML and URLs each have a rule of their own for.
const ODD: &str = "odd/a b+c%2Fd?e#f&g=h;i,j:k@l'm(n)o*p~q\"r<s>t//é-ключ-鍵";

impl Place {
    /// The calls of a store, and what each of them may leave out.
    pub(super) async fn objects(&self, checks: &mut Checks) {
        checks.of(Feature::Put, self.puts()).await;
        checks.of(Feature::Get, self.gets()).await;
        checks.of(Feature::Head, self.heads()).await;
        checks.of(Feature::List, self.lists()).await;
        checks.of(Feature::Delete, self.deletes()).await;
        checks.of(Feature::Copy, self.copies()).await;
        checks.of(Feature::ListPages, self.list_pages()).await;
        checks.of(Feature::OddKeys, self.odd_keys()).await;
        checks.of(Feature::Range, self.ranges()).await;
        checks.of(Feature::Versions, self.versions()).await;
    }

    async fn puts(&self) -> Tried {
        let info = self.put("object", FIRST, &PutOptions::default()).await?;
        Ok(Verdict::ok(match info.etag {
            Some(_) => "stores an object, and gives its etag",
            None => "stores an object, and gives no etag: conditions need one",
        }))
    }

    async fn gets(&self) -> Tried {
        Ok(if self.holds("object", FIRST).await? {
            Verdict::ok("gives the object's bytes back")
        } else {
            Verdict::wrong("the bytes that came back are not those that were stored")
        })
    }

    async fn heads(&self) -> Tried {
        let key = self.key("object")?;
        let info = self.s3.head_object(&self.bucket, &key, &GetOptions::default()).await?;
        Ok(if info.size == FIRST.len() as u64 {
            Verdict::ok("describes the object")
        } else {
            Verdict::wrong(format!("says {} bytes of an object of {}", info.size, FIRST.len()))
        })
    }

    async fn lists(&self) -> Tried {
        let options = ListOptions { prefix: self.prefix(""), ..ListOptions::default() };
        let page = self.s3.list_objects(&self.bucket, &options).await?;
        let key = self.key("object")?;
        Ok(if page.objects.iter().any(|listed| listed.key == key.as_str()) {
            Verdict::ok("shows the object")
        } else {
            Verdict::wrong("does not show an object that was just stored")
        })
    }

    async fn deletes(&self) -> Tried {
        self.delete("object", None).await?;
        if !self.is_gone("object").await? {
            return Ok(Verdict::wrong("the object is still there"));
        }
        // A store deletes without looking first.
        self.delete("object", None).await?;
        Ok(Verdict::ok("removes the object, and one that is not there"))
    }

    async fn copies(&self) -> Tried {
        self.put("source", FIRST, &PutOptions::default()).await?;
        if let Err(error) = self.copy("source", "target", &PutOptions::default()).await {
            return refusal(error);
        }
        Ok(if self.holds("target", FIRST).await? {
            Verdict::ok("copies an object within the bucket")
        } else {
            Verdict::wrong("the copy is not like its source")
        })
    }

    async fn list_pages(&self) -> Tried {
        let names = ["pages/1", "pages/2", "pages/3"];
        let mut expected = Vec::new();
        for name in names {
            self.put(name, FIRST, &PutOptions::default()).await?;
            expected.push(self.prefix(name));
        }
        let prefix = self.prefix("pages/");
        let mut options = ListOptions { prefix, limit: Some(2), ..ListOptions::default() };
        let mut listed = Vec::new();
        // As many pages as there are keys, if each holds one.
        for _ in names {
            let page = self.s3.list_objects(&self.bucket, &options).await?;
            if page.objects.len() > 2 {
                return Ok(Verdict::ignored("a page holds more than it was asked for"));
            }
            listed.extend(page.objects.into_iter().map(|object| object.key));
            options.continuation = page.continuation;
            if options.continuation.is_none() {
                break;
            }
        }
        Ok(if listed == expected {
            Verdict::ok("go on where the page before ended")
        } else {
            Verdict::wrong("keys are missing, twice there, or out of order")
        })
    }

    async fn odd_keys(&self) -> Tried {
        if let Err(error) = self.put(ODD, FIRST, &PutOptions::default()).await {
            return refusal(error);
        }
        if !self.holds(ODD, FIRST).await? {
            return Ok(Verdict::wrong("another object was given back"));
        }
        let options = ListOptions { prefix: self.prefix("odd/"), ..ListOptions::default() };
        let page = self.s3.list_objects(&self.bucket, &options).await?;
        let key = self.key(ODD)?;
        Ok(match page.objects.as_slice() {
            [listed] if listed.key == key.as_str() => {
                Verdict::ok("are kept to the byte: blanks, + % ? # & // and é")
            }
            [] => Verdict::wrong(format!("{ODD:?} is stored, and not listed")),
            [listed, ..] => {
                let prefix = self.prefix("");
                let listed = listed.key.strip_prefix(&prefix).unwrap_or(&listed.key);
                Verdict::wrong(format!("{ODD:?} is listed as {listed:?}"))
            }
        })
    }

    async fn ranges(&self) -> Tried {
        self.put("range", FIRST, &PutOptions::default()).await?;
        let options = GetOptions { range: Some(ByteRange::Closed(2, 5)), ..GetOptions::default() };
        match self.get("range", &options).await {
            Ok(bytes) if bytes == FIRST[2..=5] => Ok(Verdict::ok("gives the bytes asked for")),
            Ok(_) => Ok(Verdict::wrong("gives other bytes than those asked for")),
            Err(error) if error.status() == Some(200) => {
                Ok(Verdict::ignored("gives the whole object; a get of a range fails"))
            }
            Err(error) => refusal(error),
        }
    }

    async fn versions(&self) -> Tried {
        let first = self.put("versions", FIRST, &PutOptions::default()).await?;
        self.put("versions", SECOND, &PutOptions::default()).await?;
        let version_id = first.version_id.clone().filter(|id| id != "null");
        let kept = version_id.is_some();
        // What a service would take for a version, if it knew any.
        let version_id = version_id.or_else(|| Some("00000000000000000000000000000000".to_owned()));
        let old = self.get("versions", &GetOptions { version_id, ..GetOptions::default() }).await;
        Ok(match old {
            Ok(bytes) if kept && bytes == FIRST => Verdict::ok("the bucket keeps them"),
            Ok(_) => Verdict::ignored("gives the current version whichever is asked for"),
            Err(error) if kept => return Err(error),
            Err(error) if error.status().is_some() && error.kind() != S3ErrorKind::AccessDenied => {
                Verdict::ok("the bucket keeps none, and says so if one is asked for")
            }
            Err(error) => return Err(error),
        })
    }
}
