;; The two loops over every octet of a message that are worth having in WebAssembly: making the wire form,
;; and counting. The rules are those of message/canonical.ts and wire/dot_stuffing.ts:
;;
;;   a bare LF becomes CRLF; CRLF stays; a lone CR, NUL and all else stay;
;;   a line that begins with a dot gets one more.
;;
;; Both are rules about one octet and the one before it. So all that passes from chunk to chunk is the last
;; octet of the one before, `previous`; before the first chunk that is LF, since a line begins there.
;; It is put in front of the source, where the loops find it as they find any other.
;;
;; Each source octet puts at most one more in front of itself, LF a CR and a dot a dot: what is written
;; is at most twice as long as what was read.
;;
;; 32 octets are copied at a time and looked at afterwards for LF. At each LF, the CR is put in and the 32
;; from the LF on are copied again, one place further on: no loop over octets, and the one branch that is
;; hard to foretell comes once a line. What is copied too much is written over, or left behind the end.
;;
;; scripts/assemble_kernel.ts makes kernel_module.ts of this.

(module
  ;; Where things are, in octets; octet_kernel.ts reads these. 65,536 for the source, and on either side of
  ;; it what the loops touch beside: `previous` in front, and up to 33 octets behind. Then the output:
  ;; twice 65,536, and more behind it than the loops and the end of a response need. The two are not a
  ;; multiple of 4,096 apart, but half of that more: processors take a load for one of what was just stored
  ;; when the addresses end alike, and wait.
  (global $source (export "source") i32 (i32.const 64))
  (global $output (export "output") i32 (i32.const 67648))
  (memory (export "memory") 4 4)

  ;; How many dots the last `encode` put in.
  (global $stuffed (export "stuffed") (mut i32) (i32.const 0))

  ;; Puts `previous` in front of the source and 32 times NUL behind it, so that the last turn of a loop may
  ;; look at whole blocks: NUL is neither LF nor dot. Returns where the source ends.
  (func $enclose (param $length i32) (param $previous i32) (result i32)
    (local $end i32)
    (i32.store8 (i32.sub (global.get $source) (i32.const 1)) (local.get $previous))
    (local.set $end (i32.add (global.get $source) (local.get $length)))
    (v128.store (local.get $end) (v128.const i64x2 0 0))
    (v128.store offset=16 (local.get $end) (v128.const i64x2 0 0))
    (local.get $end))

  ;; Writes the wire form of `length` source octets to the output; returns how many octets that are.
  ;; What could be functions of its own is written out: calls cost, until the runtime has optimised it.
  (func (export "encode") (param $length i32) (param $previous i32) (result i32)
    (local $from i32) (local $end i32) (local $to i32)
    (local $lf v128) ;; sixteen times LF
    (local $first v128) (local $second v128)
    (local $line_ends i32) ;; a bit for each of 32 octets that is LF
    (local $at i32) ;; the LF in the source
    (local $put i32) ;; and where it goes

    (local.set $end (call $enclose (local.get $length) (local.get $previous)))
    (local.set $from (global.get $source))
    (local.set $to (global.get $output))
    (local.set $lf (i8x16.splat (i32.const 10)))
    (global.set $stuffed (i32.const 0))

    ;; The dot of a line that begins with this chunk.
    (if (i32.and
          (i32.eq (local.get $previous) (i32.const 10))
          (i32.eq (i32.load8_u (local.get $from)) (i32.const 46)))
      (then
        (i32.store8 (local.get $to) (i32.const 46))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (global.set $stuffed (i32.const 1))))

    (block $done
      (loop $blocks
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $first (v128.load (local.get $from)))
        (local.set $second (v128.load offset=16 (local.get $from)))
        (v128.store (local.get $to) (local.get $first))
        (v128.store offset=16 (local.get $to) (local.get $second))
        (local.set $line_ends
          (i32.or
            (i8x16.bitmask (i8x16.eq (local.get $first) (local.get $lf)))
            (i32.shl
              (i8x16.bitmask (i8x16.eq (local.get $second) (local.get $lf)))
              (i32.const 16))))

        ;; `to` is where this block begins in the output, as far on as its insertions have moved the rest.
        (if (local.get $line_ends)
          (then
            (loop $each_line_end
              (local.set $at (i32.add (local.get $from) (i32.ctz (local.get $line_ends))))
              (local.set $put (i32.add (local.get $to) (i32.ctz (local.get $line_ends))))
              (if (i32.ne (i32.load8_u (i32.sub (local.get $at) (i32.const 1))) (i32.const 13))
                (then
                  (i32.store8 (local.get $put) (i32.const 13))
                  (local.set $put (i32.add (local.get $put) (i32.const 1)))
                  (local.set $to (i32.add (local.get $to) (i32.const 1)))))
              ;; Behind the last octet of the chunk stands NUL: that line's dot is the next chunk's.
              (if (i32.eq (i32.load8_u offset=1 (local.get $at)) (i32.const 46))
                (then
                  (i32.store8 (local.get $put) (i32.const 10))
                  (i32.store8 offset=1 (local.get $put) (i32.const 46))
                  (v128.store offset=2 (local.get $put) (v128.load offset=1 (local.get $at)))
                  (v128.store offset=18 (local.get $put) (v128.load offset=17 (local.get $at)))
                  (local.set $to (i32.add (local.get $to) (i32.const 1)))
                  (global.set $stuffed (i32.add (global.get $stuffed) (i32.const 1))))
                (else
                  (v128.store (local.get $put) (v128.load (local.get $at)))
                  (v128.store offset=16 (local.get $put) (v128.load offset=16 (local.get $at)))))
              ;; The next one: the lowest bit is taken away.
              (local.set $line_ends
                (i32.and (local.get $line_ends) (i32.sub (local.get $line_ends) (i32.const 1))))
              (br_if $each_line_end (local.get $line_ends)))))

        (local.set $from (i32.add (local.get $from) (i32.const 32)))
        (local.set $to (i32.add (local.get $to) (i32.const 32)))
        (br $blocks)))

    ;; The NULs that the last turn took with the source are none of it.
    (i32.sub
      (i32.sub (local.get $to) (global.get $output))
      (i32.sub (local.get $from) (local.get $end))))

  ;; Counts the bare LFs in `length` source octets: by so much their canonical form is longer.
  ;;
  ;; Sixteen counts of an octet each, one for each place in a block; they are added up before any of them
  ;; can pass 255, after 255 blocks.
  (func (export "count_bare_line_ends") (param $length i32) (param $previous i32) (result i32)
    (local $from i32) (local $end i32)
    (local $stop i32) ;; where the counts are added up next
    (local $counts v128)
    (local $sum i32)

    (local.set $end (call $enclose (local.get $length) (local.get $previous)))
    (local.set $from (global.get $source))
    (block $done
      (loop $stretches
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $stop (i32.add (local.get $from) (i32.const 4080)))
        (if (i32.gt_u (local.get $stop) (local.get $end))
          (then (local.set $stop (local.get $end))))
        (local.set $counts (v128.const i64x2 0 0))
        (loop $blocks
          ;; What compares as true is -1 in each octet: LF, and not CR one place before.
          (local.set $counts
            (i8x16.sub
              (local.get $counts)
              (v128.andnot
                (i8x16.eq (v128.load (local.get $from)) (i8x16.splat (i32.const 10)))
                (i8x16.eq
                  (v128.load (i32.sub (local.get $from) (i32.const 1)))
                  (i8x16.splat (i32.const 13))))))
          (local.set $from (i32.add (local.get $from) (i32.const 16)))
          (br_if $blocks (i32.lt_u (local.get $from) (local.get $stop))))
        (local.set $counts
          (i32x4.extadd_pairwise_i16x8_u (i16x8.extadd_pairwise_i8x16_u (local.get $counts))))
        (local.set $sum (i32.add (local.get $sum) (i32x4.extract_lane 0 (local.get $counts))))
        (local.set $sum (i32.add (local.get $sum) (i32x4.extract_lane 1 (local.get $counts))))
        (local.set $sum (i32.add (local.get $sum) (i32x4.extract_lane 2 (local.get $counts))))
        (local.set $sum (i32.add (local.get $sum) (i32x4.extract_lane 3 (local.get $counts))))
        (br $stretches)))
    (local.get $sum)))
