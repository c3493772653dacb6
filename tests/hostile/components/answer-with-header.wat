;; Describes an artifact with a content type that holds a header of its own.
(data (i32.const 16) "text/plain\r\nset-cookie: a=b")
(func $head (param i32) (result i32)
  (i32.store8 offset=68 (i32.const 1024) (i32.const 1))
  (i32.store offset=72 (i32.const 1024) (i32.const 16))
  (i32.store offset=76 (i32.const 1024) (i32.const 27))
  (i32.const 1024))
