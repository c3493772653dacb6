;; Climbs out of the prefix that it is granted.
(data (i32.const 16) "mine/../theirs/secret")
(func $put (param $args i32) (result i32)
  (i32.store (local.get $args) (i32.const 16))
  (i32.store offset=4 (local.get $args) (i32.const 21))
  (call $pass-put (local.get $args)))
