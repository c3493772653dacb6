use std::fs;

use crate::{MIB, Setup};

#[tokio::test]
async fn a_damaged_file_is_as_if_it_had_never_been() {
    let setup = Setup::new(MIB).await;
    setup.put("a", "abcdef").await;
    setup.read("a").await;
    let path = setup.files().remove(0);
    let whole = fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> =
        (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        damaged.push(flipped);
    }
    damaged.push([&whole[..], b"x"].concat());
    damaged.push([b"x", &whole[..]].concat());
    for bytes in damaged {
        fs::write(&path, &bytes).unwrap();
        setup.requests.take();
        assert_eq!(setup.read("a").await, b"abcdef");
        assert_eq!(setup.requests.take().0, 1, "not from {bytes:?}");
        assert_eq!(fs::read(&path).unwrap(), whole, "and it is mended");
    }
    // Another object's file is not this one's.
    setup.put("b", "ABCDEF").await;
    setup.read("b").await;
    let other = setup.files().into_iter().find(|file| *file != path).unwrap();
    fs::copy(other, &path).unwrap();
    assert_eq!(setup.read("a").await, b"abcdef");
}

#[tokio::test]
async fn a_folder_that_goes_away_is_no_error() {
    let setup = Setup::new(MIB).await;
    setup.put("a", "abc").await;
    setup.read("a").await;
    fs::remove_dir_all(setup.folder.path()).unwrap();
    assert_eq!(setup.read("a").await, b"abc");
    assert_eq!(setup.read("a").await, b"abc");
    // Nor is one of which a file cannot be opened.
    fs::create_dir(setup.folder.path()).unwrap();
    setup.read("a").await;
    let path = setup.files().remove(0);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(setup.read("a").await, b"abc");
}
