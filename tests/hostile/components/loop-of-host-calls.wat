;; A million calls of the host, and more, that cost the component next to nothing.
(func $put (param $args i32) (result i32)
  (loop (call $body-length (i32.load offset=8 (local.get $args)) (i32.const 1024)) (br 0))
  unreachable)
